"""Text from outside, as a terminal and a log may show it: nothing in it moves a cursor, hides a word or begins a line."""

import json
import sys
import traceback
from types import TracebackType


def legible(text: str, *, lines: bool = False) -> str:
    """
    The text with each character that is not printable written as JSON escapes it: ``\\u001b`` for ESC, ``\\n`` for a newline.

    So are the rest of C0 and C1, the controls of direction (bidi), U+2028 and U+2029, lone surrogates, and whatever else has
    no shape of its own. With ``lines`` newlines stay: for text whose lines are ours, and for JSON, which means the same
    afterwards.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or (lines and one == "\n") else json.dumps(one)[1:-1] for one in text)


def legible_traceback(error: BaseException) -> str:
    """The traceback of an error whose text may be from outside. Every line but the first is indented, whatever it says."""
    return indented(legible("".join(traceback.format_exception(error)).rstrip("\n"), lines=True))


def indented(text: str) -> str:
    """Each line after the first begins with a space: none of them can be taken for the next thing that is said."""
    first, *others = text.split("\n")
    return "\n".join([first, *(line if line.startswith(" ") else f"  {line}" for line in others)])


def show_uncaught_legibly() -> None:
    """From now on, show an uncaught error with its control characters escaped."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:  # noqa: ARG001
        sys.stderr.write(f"{legible_traceback(error)}\n")

    sys.excepthook = show
