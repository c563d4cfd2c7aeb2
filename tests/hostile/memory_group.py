"""A memory cgroup like that of ECS and Lambda: processes above the limit are killed."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
MB = 1_048_576
_ENTER = 'echo $$ > "$0" && exec "$@"'  # The shell enters the group, then becomes the command.


@dataclass(frozen=True, kw_only=True)
class Ended:
    """
    How a command ended. ``peak`` is the maximum memory of its group and ``resident`` that of the process, in bytes; without a
    group ``peak`` is 0. ``killed``: it exceeded the limit.
    """

    returncode: int
    peak: int
    resident: int
    killed: bool
    output: str


class MemoryGroup:
    """A group of processes with a common memory limit in bytes, without swap. Use as a context manager."""

    def __init__(self, limit: int) -> None:
        self._v2 = not (V1 / "cgroup.procs").exists()
        self._limit = limit
        self.folder = Path()

    def __enter__(self) -> Self:
        """Create the group. Raises: OSError: this user or this machine cannot create one; see ``unavailable``."""
        parent = V2 if self._v2 else V1
        if self._v2:
            with suppress(OSError):
                (parent / "cgroup.subtree_control").write_text("+memory")
        self.folder = Path(tempfile.mkdtemp(prefix="tailrace-", dir=parent))
        try:
            self._write("memory.max" if self._v2 else "memory.limit_in_bytes", self._limit)
            with suppress(OSError):  # A kernel may not count swap.
                self._write("memory.swap.max" if self._v2 else "memory.memsw.limit_in_bytes", 0 if self._v2 else self._limit)
        except OSError:
            self.folder.rmdir()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        while pids := (self.folder / "cgroup.procs").read_text().split():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.01)  # A killed process leaves the group by itself.
        self.folder.rmdir()

    def command(self, command: Sequence[str]) -> list[str]:
        """Return the command so that it starts within this group, with the same process id."""
        return ["/bin/sh", "-c", _ENTER, str(self.folder / "cgroup.procs"), *command]

    @property
    def peak(self) -> int:
        """Return the group's maximum memory so far, in bytes."""
        return int(self._read("memory.peak" if self._v2 else "memory.max_usage_in_bytes"))

    @property
    def kills(self) -> int:
        """Return the number of processes that were killed at the limit."""
        words = self._read("memory.events" if self._v2 else "memory.oom_control").split()
        return int(words[words.index("oom_kill") + 1])

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def _write(self, name: str, value: int) -> None:
        file = self.folder / name
        if not file.exists():
            raise FileNotFoundError(f"{file}: the memory controller is not in use here")
        file.write_text(str(value))


def unavailable() -> str:
    """Return why no group can be created here, or an empty text."""
    try:
        with MemoryGroup(64 * MB) as group:
            group.peak, group.kills  # noqa: B018 - an old kernel has no memory.peak
    except OSError as error:
        return f"needs root and a memory cgroup: {error}"
    return ""


def run_within(limit: int, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Ended:
    """Run the command to its end in a group with this limit in bytes; ``limit`` 0 means without a group."""
    if not limit:
        return _run(command, environment, None)
    with MemoryGroup(limit) as group:
        return _run(group.command(command), environment, group)


def _run(command: Sequence[str], environment: Mapping[str, str] | None, group: MemoryGroup | None) -> Ended:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return Ended(
            returncode=process.returncode,
            peak=group.peak if group else 0,
            resident=usage.ru_maxrss * 1024,
            killed=bool(group and group.kills),
            output=output.read().decode(errors="replace"),
        )


def resident_peak(pid: int) -> int:
    """Return the maximum memory of a running process so far, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
