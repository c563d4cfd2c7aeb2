"""
The process: ``tailer run``, or ``python -P -m tailer run``.

It handles SIGTERM before it imports anything large: the first process of a container ignores a signal that has no handler.
"""

import signal
import sys
import threading


def main() -> int:
    stopping = threading.Event()
    if sys.argv[1:2] == ["run"]:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        from tailer.deadline import keep_deadline

        keep_deadline(stopping)
    from tailrace.text.terminal import program

    return program(lambda: _command_line(stopping))


def _command_line(stopping: threading.Event) -> int:
    from tailer.cli.command_line import command_line

    return command_line(sys.argv[1:], stopping)


if __name__ == "__main__":
    sys.exit(main())
