"""An environment with the wheel of this checkout, as a user has it: outside the clone, with nothing of ours but the wheel."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from tests.tracked import REPOSITORY

# The variables of a developer's shell that a user has not.
OURS = ("PYTEST_ADDOPTS", "PYTHONPATH", "PYTHONSAFEPATH", "VIRTUAL_ENV", "TAILER_", "FORWARDER_", "TAILRACE_")
LOCKS = tuple(REPOSITORY / "requirements" / f"{name}.txt" for name in ("dev", "infra"))


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A virtual environment, and how a command of it runs."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def environment(self, **more: str) -> Mapping[str, str]:
        """Return this process's variables without those that lead to the clone. The programs of the environment come first."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        return {**kept, "PATH": f"{self.folder / 'bin'}{os.pathsep}{kept['PATH']}", **more}

    def run(self, *words: str, folder: Path, code: int = 0, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in a folder outside the clone, and return what it printed. It ends with this exit code."""
        assert REPOSITORY not in (folder, *folder.parents)
        program = str(self.folder / "bin" / words[0])
        done = subprocess.run(
            [program, *words[1:]], cwd=folder, env=self.environment(**variables), capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done


InstalledWheel = Callable[..., Installed]
"""Called with an extra, and with the version of Python if it is not this one: ``installed_wheel("dev", python="3.13")``."""


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """Return this folder. The first process that asks for it calls ``make``, and the others wait for that."""
    with folder.with_name(f"{folder.name}.lock").open("a+") as lock:
        flock(lock, LOCK_EX)
        lock.seek(0)
        if not lock.read():
            make(folder)
            lock.write("made")
    return folder


def uv(*words: str, **variables: str) -> None:
    """Run uv with the locks of this checkout in reach."""
    program = Path(sys.prefix) / "bin" / "uv"
    if not program.exists():
        pytest.skip(f"needs {program}, which `make test` installs")
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    done = subprocess.run(
        [str(program), *words],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def interpreter(version: str) -> Path:
    """Return an interpreter of this version: this process's, one beside it, or one on PATH."""
    beside = [found for folder in Path(sys.base_prefix).parent.glob(f"{version}*") for found in folder.glob("bin/python3")]
    named = [Path(found) for found in [shutil.which(f"python{version}")] if found]
    for python in [Path(sys.executable), *beside, *named]:
        asked = subprocess.run([python, "--version"], capture_output=True, text=True, check=False)
        if asked.stdout.startswith(f"Python {version}."):
            return python
    pytest.skip(f"needs Python {version}")


def install(wheel: Path, folder: Path, extra: str, python: str, versions: Sequence[Path] = LOCKS) -> Installed:
    """Make an environment of this Python, and install the wheel with what the extra needs, in the versions of these files."""
    uv("venv", "--seed", "--python", str(interpreter(python)), str(folder))  # with pip, as python -m venv does
    constraints = [word for file in versions for word in ("--constraints", str(file))]
    wanted = f"tailrace{f'[{extra}]' if extra else ''} @ {wheel.as_uri()}"
    uv("pip", "install", "--python", str(folder / "bin" / "python"), *constraints, "--only-binary", ":all:", wanted)
    return Installed(folder=folder)
