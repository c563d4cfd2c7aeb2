"""What the forwarder logs, whoever formats it: Lambda's runtime escapes nothing above U+001F, a terminal nothing at all."""

import logging
from typing import Any

from tailrace.text.legible import indented, legible, legible_traceback


class LegibleRecord(logging.LogRecord):
    """A record whose message, error and traceback are legible."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.exc_info or (error := self.exc_info[1]) is None:
            return
        self.exc_text = legible_traceback(error)
        if (said := str(error)) != (shown := legible(said, lines=True)):
            self.exc_info = (type(error), Exception(shown), error.__traceback__)

    def getMessage(self) -> str:  # noqa: N802 - of the base class
        """The message with its arguments; every line but the first is indented."""
        return indented(legible(super().getMessage(), lines=True))


def make_legible() -> None:
    """Every record of this process, from now on."""
    logging.setLogRecordFactory(LegibleRecord)
