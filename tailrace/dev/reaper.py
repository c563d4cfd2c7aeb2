"""
Kill the processes of a workspace after the process that created it has ended, also by SIGKILL.

A script of its own (``python -I -S reaper.py``). Each line of its input is ``child PID``, ``ended PID`` or ``folder PATH``.
The end of the input means that the process has ended: the kernel closes the pipe.
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
