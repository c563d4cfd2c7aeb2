"""
The environment of the AWS emulator and mongod where no clone has made one: in the user's cache folder, from the lock that
the wheel carries. The emulator pins a botocore of its own, so it cannot be installed beside the product.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tailrace.dev.workspace import StartFailed

LOCK = "requirements/emulators.txt"


def cache_folder() -> Path:
    """Return the folder for what can be made again at any time: ``$XDG_CACHE_HOME/tailrace`` or ``~/.cache/tailrace``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tailrace"


def lock() -> Path:
    from tailrace.packaging.shipped import shipped  # here: the image of the demo has no libraries of a project's tools

    return shipped(LOCK)


def folder() -> Path:
    """Return the folder of the environment for this lock and this Python. It is complete if it exists."""
    digest = hashlib.sha256(lock().read_bytes()).hexdigest()[:12]
    return cache_folder() / f"emulators-{digest}-py{sys.version_info.major}.{sys.version_info.minor}"


def make(folder: Path) -> None:
    """
    Make the environment, with the hashes of the lock, and put it in place in one step.

    Raises:
        StartFailed: the folder cannot be written, or a package cannot be installed. The message has the output of pip.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".emulators-", ignore_cleanup_errors=True) as made:
            _run(sys.executable, "-m", "venv", made)
            locked = ["--require-hashes", "--only-binary=:all:", "-r", str(lock())]
            _run(f"{made}/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *locked)
            if not folder.exists():  # another process may have made it meanwhile
                Path(made).rename(folder)
    except OSError as error:
        raise StartFailed(f"the environment of the emulators cannot be made in {folder}: {error}") from error


def _run(python: str, *arguments: str) -> None:
    done = subprocess.run([python, "-I", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        output = (done.stderr + done.stdout).strip()
        raise StartFailed(f"the environment of the emulators cannot be made; {arguments[1]} said:\n{output[-2000:]}")
