"""
The process: ``tailer run``, or ``python -P -m tailer run``.

It listens for SIGTERM before it imports anything large: the first process of a container is deaf to signals until it does.
"""

import io
import os
import signal
import sys
import threading
from contextlib import suppress

INTERRUPTED, NOBODY_READS = 130, 141  # what a shell makes of a command that ends by SIGINT or SIGPIPE


def main() -> int:
    """Run the command of this process's arguments. The exit code."""
    stopping = threading.Event()
    if isinstance(sys.stdout, io.TextIOWrapper):  # not where it is closed; some terminals lack a character of the help
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.argv[1:2] == ["run"]:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        from tailer.deadline import keep_deadline

        keep_deadline(stopping)
    try:
        from tailer.cli.command_line import command_line
        from tailrace.text.legible import show_uncaught_legibly

        show_uncaught_legibly()
        return command_line(sys.argv[1:], stopping)
    except KeyboardInterrupt:  # in any command but `run`
        return INTERRUPTED
    except SystemExit:  # of the help
        with suppress(BrokenPipeError):  # whoever read has read enough
            print(end="", flush=True)  # noqa: T201
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed at exit
        return NOBODY_READS


if __name__ == "__main__":
    sys.exit(main())
