"""A temporary folder and the processes in it. At exit both are removed, also after a SIGKILL of this process."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

REAPER = Path(__file__).with_name("reaper.py")
INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # of the developer's environment


def inherited() -> dict[str, str]:
    """Return the variables that every process of a system has from this one: no setting of another deployment."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


class StartFailed(Exception):
    """A part of the stack did not start. The message names the part and the cause, and ends with its log or the remedy."""


class Child:
    """One process, the leader of its process group."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def log_tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, grace: float) -> int:
        """Send SIGTERM, and after ``grace`` seconds SIGKILL to the process group. Return the exit code, -9 when killed."""
        if self.running:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        return self.kill()

    def signal(self, number: int) -> None:
        """Send a signal to the process, and not to its group."""
        self._process.send_signal(number)

    def kill(self) -> int:
        """Send SIGKILL to the process group. Return the exit code."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()


class Workspace:
    """
    ``folder`` has the files of a stack, and ``spawn`` starts its processes.

    Another process, the reaper, ends the processes and deletes the folder if this process is killed.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tailrace-"))
        self.children: list[Child] = []
        self._reaper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(REAPER)], stdin=subprocess.PIPE, start_new_session=True
        )
        self._tell("folder", self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        for child in reversed(self.children):
            child.kill()
            self._tell("ended", child.pid)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._reaper.stdin:
            self._reaper.stdin.close()
        self._reaper.wait()

    def spawn(self, name: str, command: list[str], environment: Mapping[str, str]) -> Child:
        """Start a process in this folder with only this environment. Its output goes to ``NAME.log``."""
        log = self.folder / f"{name}.log"
        here = {"HOME": str(self.folder), "TMPDIR": str(self.folder)}
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=inherited() | here | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._tell("child", process.pid)
        child = Child(name, process, log)
        self.children.append(child)
        return child

    def _tell(self, word: str, value: object) -> None:
        if self._reaper.stdin:
            self._reaper.stdin.write(f"{word} {value}\n".encode())
            self._reaper.stdin.flush()
