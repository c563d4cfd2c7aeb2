"""
Ends what a workspace started once the process that started it is gone, however it went, SIGKILL included.

A script of its own (``python -I -S reaper.py``). Each line of its input is ``child PID``, ``ended PID`` or ``folder PATH``.
The end of input means that the starter no longer lives: the kernel closes a pipe even for a process that had no time to.
"""

import contextlib
import os
import shutil
import signal
import sys


def main() -> None:
    children: set[int] = set()
    folders: list[str] = []
    for line in sys.stdin:
        word, _, value = line.rstrip("\n").partition(" ")
        match word:
            case "child":
                children.add(int(value))
            case "ended":
                children.discard(int(value))
            case "folder":
                folders.append(value)
    for leader in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
