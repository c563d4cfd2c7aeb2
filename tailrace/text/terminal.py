"""Prints what a command has to say, and ends its program as a shell expects."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

from tailrace.text.legible import indented, legible, show_uncaught_legibly

SOON = 2.0  # seconds, after which a person begins to wonder
INTERRUPTED, CLOSED_PIPE = 130, 141  # exit codes of a shell for a command that ends by SIGINT or SIGPIPE


def say(text: str, end: str = "\n") -> None:
    """Print the result of a command. The program ends here if the reader of its pipe has closed it, as in ``… | head``."""
    try:
        print(legible(text, lines=True), end=end, flush=True)  # noqa: T201
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        raise SystemExit(CLOSED_PIPE) from None


def complain(text: str, by: str) -> None:
    """Print an error or a warning for the person at the keyboard, after the command that reports it: ``tailrace try: …``."""
    print(indented(legible(f"{by}: {text}", lines=True)), file=sys.stderr)  # noqa: T201


@contextmanager
def announced(text: str, after: float = SOON) -> Iterator[None]:
    """Print to standard error what the program does, if the block takes longer than ``after`` seconds."""
    timer = Timer(after, lambda: print(legible(text), file=sys.stderr, flush=True))  # noqa: T201
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def program(main: Callable[[], int]) -> int:
    """Run ``main`` without a traceback after Ctrl-C, a closed pipe or a character that the terminal cannot show."""
    show_uncaught_legibly()
    if sys.stdin is None:  # it is closed: a command that reads it finds nothing
        sys.stdin = open(os.devnull)  # noqa: SIM115 - for the rest of the program
    if isinstance(sys.stdout, io.TextIOWrapper):  # it is None if it is closed
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return main()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        say("", end="")  # a failed write, even of the help, ends the program here and not at exit
