"""Where mongod and the AWS emulator are installed, and what to do where they are not."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from devstack.workspace import StartFailed

EMULATORS = "TAILRACE_EMULATORS"  # the Python of an environment that holds requirements/emulators.txt
MONGOD = "TAILRACE_MONGOD"  # a mongod binary
WHEEL = "lib/python*/site-packages/fiftyone/db/bin/mongod"


def emulators_python() -> Path:
    """
    The interpreter beside which the emulator is installed: it may not share an environment with the product.

    Raises:
        StartFailed: there is none.
    """
    given = os.environ.get(EMULATORS)
    python = Path(given) if given else Path(f"{sys.prefix}-emulators") / "bin" / "python"
    if not os.access(python, os.X_OK):
        raise StartFailed(f"no emulators at {python}: run `make env`, or point {EMULATORS} to their Python")
    return python


def mongod_binary() -> str:
    """
    The first mongod that runs: the one named by TAILRACE_MONGOD and no other, else PATH's, else the wheel's.

    Raises:
        StartFailed: none runs here; with the output of each of them.
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
