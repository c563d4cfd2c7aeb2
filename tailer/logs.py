"""
What the tailer logs, on standard error: JSON lines for programs, text for a person at a terminal. Every line has a stable
``action``; none has a document or a secret.
"""

import logging
import sys
from datetime import UTC, datetime

import msgspec

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonLines(logging.Formatter):
    """One object per line: time, level, message, and whatever was given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


class Text(logging.Formatter):
    """Time of day, level and message, after the name of the stream that it is about; each line of a message on its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        stream = f"[{record.stream}] " if hasattr(record, "stream") else ""
        text = f"{time} {record.levelname:8} {stream}{_legible(record.getMessage())}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def for_programs(form: str) -> bool:
    """Whether the log is JSON lines: where that is asked for, and where nobody reads it at a terminal."""
    return form == "json" or (form == "auto" and not sys.stderr.isatty())


def configure(level: str, form: str = "auto") -> None:
    """
    Send our log and the warnings of every library to standard error.

    ``form`` is ``json``, ``text``, or ``auto``: text at a terminal, else JSON lines.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if for_programs(form) else Text())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("tailer").setLevel(level)


def _legible(text: str) -> str:
    """Without what would command a terminal: a name in a message may come from a document."""
    return "".join(one if one.isprintable() or one == "\n" else f"\\u{ord(one):04x}" for one in text)
