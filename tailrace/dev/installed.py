"""Finds mongod and the AWS emulator. An error names the remedy."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tailrace.dev.workspace import StartFailed

EMULATORS = "TAILRACE_EMULATORS"  # the Python of an environment that holds requirements/emulators.txt
MONGOD = "TAILRACE_MONGOD"  # a mongod binary
WHEEL = "lib/python*/site-packages/fiftyone/db/bin/mongod"


def emulators_python() -> Path:
    """
    Return the Python of the environment that has the emulator. The product's environment does not have it.

    Raises:
        StartFailed: the environment does not exist.
    """
    given = os.environ.get(EMULATORS)
    python = Path(given) if given else Path(f"{sys.prefix}-emulators") / "bin" / "python"
    if not os.access(python, os.X_OK):
        raise StartFailed(f"no emulators at {python}: run `make env`, or point {EMULATORS} to their Python")
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
    tried = "\n".join(responses) or "  there is none on PATH, and no wheel for this platform"
    raise StartFailed(
        f"no mongod runs on this machine:\n{tried}\n"
        f"Run `make env` (its wheel needs x86-64 Linux with libcurl 4 and OpenSSL 3), or install MongoDB 6.0 or newer "
        f"and point {MONGOD} to its mongod."
    )


def _candidates() -> Iterator[str]:
    if given := os.environ.get(MONGOD):
        yield given
        return
    if found := shutil.which("mongod"):
        yield found
    given = os.environ.get(EMULATORS)
    environment = Path(given).parent.parent if given else Path(f"{sys.prefix}-emulators")
    yield from map(str, environment.glob(WHEEL))
