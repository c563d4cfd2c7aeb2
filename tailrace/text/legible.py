"""Makes text from outside safe for terminals and logs: it cannot move the cursor, hide characters or start a new line."""

import json
import sys
import traceback
from types import TracebackType


def legible(text: str, *, lines: bool = False) -> str:
    """
    Return the text with each unprintable character escaped as in JSON: ``\\u001b`` for ESC, ``\\n`` for a newline.

    The escaped characters include C0 and C1, bidirectional controls, U+2028, U+2029 and lone surrogates. With ``lines``,
    newlines are kept: for text whose line breaks are our own, and for JSON, whose meaning does not change.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or (lines and char == "\n") else json.dumps(char)[1:-1] for char in text)


def legible_traceback(error: BaseException) -> str:
    """The traceback of an error whose text may come from outside. Every line after the first is indented."""
    return indented(legible("".join(traceback.format_exception(error)).rstrip("\n"), lines=True))


def indented(text: str) -> str:
    """Indent each line after the first, so that it cannot pass for the start of another log entry."""
    first, *others = text.split("\n")
    return "\n".join([first, *(line if line.startswith(" ") else f"  {line}" for line in others)])


def show_uncaught_legibly() -> None:
    """From now on, show an uncaught error with its control characters escaped."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:  # noqa: ARG001
        sys.stderr.write(f"{legible_traceback(error)}\n")

    sys.excepthook = show
