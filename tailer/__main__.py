"""
The process: ``tailer run``, or ``python -P -m tailer run``.

It handles SIGTERM before it imports anything large: the first process of a container ignores a signal that has no handler.
"""

import io
import os
import signal
import sys
import threading
from contextlib import suppress

INTERRUPTED, BROKEN_PIPE = 130, 141  # exit codes of a shell for a command that ends by SIGINT or SIGPIPE


def main() -> int:
    stopping = threading.Event()
    if isinstance(sys.stdout, io.TextIOWrapper):  # it may be closed; a terminal may not have every character of the help
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
    except KeyboardInterrupt:  # of any command but `run`
        return INTERRUPTED
    except SystemExit:  # after printing the help
        with suppress(BrokenPipeError):  # the reader of a pipe has closed it
            print(end="", flush=True)  # noqa: T201
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return BROKEN_PIPE


if __name__ == "__main__":
    sys.exit(main())
