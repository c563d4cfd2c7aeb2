"""Prints what a command has to say, and ends its program as a shell expects."""

import io
import os
import sys
from collections.abc import Callable

from tailrace.text.legible import indented, legible, show_uncaught_legibly

INTERRUPTED, CLOSED_PIPE = 130, 141  # exit codes of a shell for a command that ends by SIGINT or SIGPIPE


def say(text: str, end: str = "\n") -> None:
    """Print the result of a command. The program ends here if the reader of its pipe has closed it, as in ``… | head``."""
    try:
        print(legible(text, lines=True), end=end, flush=True)  # noqa: T201
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        raise SystemExit(CLOSED_PIPE) from None


def complain(text: str) -> None:
    """Print an error for the person at the keyboard."""
    print(indented(legible(text, lines=True)), file=sys.stderr)  # noqa: T201


def program(main: Callable[[], int]) -> int:
    """Run ``main`` without a traceback after Ctrl-C, a closed pipe or a character that the terminal cannot show."""
    show_uncaught_legibly()
    if isinstance(sys.stdout, io.TextIOWrapper):  # it is None if it is closed
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return main()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        say("", end="")  # a failed write, even of the help, ends the program here and not at exit
