"""Finds mongod and the Python of the AWS emulator. An error names the remedy."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tailrace.dev import emulators_environment
from tailrace.dev.workspace import StartFailed

EMULATORS = "TAILRACE_EMULATORS"  # the Python of an environment that holds requirements/emulators.txt
MONGOD = "TAILRACE_MONGOD"  # a mongod binary
WHEEL = "lib/python*/site-packages/fiftyone/db/bin/mongod"
OTHERWISE = f"""Three ways out:
  - an existing replica set: tailrace dev --mongodb URI
  - MongoDB 6.0 or newer on this machine: put its mongod on PATH, or set {MONGOD} to it
  - a container, with the docker-compose.yml of tailrace init: docker compose up --detach --wait, then
    tailrace dev --mongodb 'mongodb://localhost:27017/?replicaSet=rs0'
The mongod that is installed with the emulators needs x86-64 Linux with libcurl 4 and OpenSSL 3."""


def emulators_python(report: Callable[[str], None] = lambda _: None) -> Path:
    """
    Return the Python of the environment that has the emulator, which is never the environment of the product.

    It is the one that TAILRACE_EMULATORS names, else the one that `make env` made beside this environment, else one in the
    user's cache folder, which is made on the first call. ``report`` is called before that.

    Raises:
        StartFailed: there is none, and it cannot be made.
    """
    given = os.environ.get(EMULATORS)
    if not given and not (folder := _environment()).exists():
        report(f"the AWS emulator and a mongod are installed into {folder} (once, about half a minute)")
        emulators_environment.make(folder)
    python = Path(given) if given else _environment() / "bin" / "python"
    if not os.access(python, os.X_OK):
        raise StartFailed(f"no emulators at {python}: run `make env` in a clone, and unset {EMULATORS} or correct it")
    return python


def mongod_binary() -> str:
    """
    Return the first mongod that runs: only TAILRACE_MONGOD if it is set, else the one on PATH, else the one in the wheel.

    Raises:
        StartFailed: none runs on this machine; with the output of each.
    """
    responses = []
    for binary in _candidates():
        try:
            asked = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False, timeout=20)
        except (OSError, subprocess.TimeoutExpired) as error:
            responses.append(f"  {binary}: {error}")
            continue
        if asked.returncode == 0 and "db version" in asked.stdout:
            return binary
        responses.append(f"  {binary}: {(asked.stderr or asked.stdout).strip()[:300]}")
    tried = "\n".join(responses) or "  there is none on PATH, and none was installed with the emulators"
    raise StartFailed(f"no mongod runs on this machine:\n{tried}\n{OTHERWISE}")


def _candidates() -> Iterator[str]:
    if given := os.environ.get(MONGOD):
        yield given
        return
    if found := shutil.which("mongod"):
        yield found
    yield from map(str, _environment().glob(WHEEL))


def _environment() -> Path:
    """Return the folder of the emulators' environment, which may not exist."""
    if given := os.environ.get(EMULATORS):
        return Path(given).parent.parent
    beside = Path(f"{sys.prefix}-emulators")
    return beside if beside.exists() else emulators_environment.folder()
