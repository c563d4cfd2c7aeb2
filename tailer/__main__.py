"""
The process: ``tailer run``, or ``python -P -m tailer run``.

It listens for SIGTERM before it imports anything large: the first process of a container is deaf to signals until it does.
"""

import io
import signal
import sys
import threading

INTERRUPTED = 130  # what a shell makes of a command that ends by SIGINT


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
        from tailer.command_line import command_line

        return command_line(sys.argv[1:], stopping)
    except KeyboardInterrupt:  # in any command but `run`
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
