"""
Log records without control characters. Lambda's runtime escapes none above U+001F, and a terminal escapes none at all.
"""

import logging
from typing import Any

from tailrace.text.legible import indented, legible, legible_traceback


class LegibleRecord(logging.LogRecord):
    """A record with a legible message, error and traceback."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.exc_info or (error := self.exc_info[1]) is None:
            return
        self.exc_text = legible_traceback(error)
        if (text := str(error)) != (shown := legible(text, lines=True)):
            self.exc_info = (type(error), Exception(shown), error.__traceback__)

    def getMessage(self) -> str:  # noqa: N802 - of the base class
        return indented(legible(super().getMessage(), lines=True))


def make_legible() -> None:
    """Use ``LegibleRecord`` for all log records of this process from now on."""
    logging.setLogRecordFactory(LegibleRecord)
