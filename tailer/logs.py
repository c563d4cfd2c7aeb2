"""
The tailer's log on standard error: JSON lines for programs, text for a person at a terminal. Every line has a stable
``action``; no line contains a document or a secret.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

from tailrace.text.legible import indented, legible, legible_traceback

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonLines(logging.Formatter):
    """
    One object per line: time, level, message, and the fields of ``extra``.

    Control characters are replaced before a text becomes JSON, because ``jq -r`` prints the text to a terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": legible(record.getMessage(), lines=True),
            **{name: _legible(value) for name, value in vars(record).items() if name not in _STANDARD},
        }
        if record.exc_info and record.exc_info[1]:
            line["exception"] = legible_traceback(record.exc_info[1])
        return msgspec.json.encode(line, enc_hook=lambda value: legible(str(value))).decode()


class Text(logging.Formatter):
    """
    Time of day, level, stream and message. All lines of a message but the first are indented, so that none looks like another
    entry of the log.
    """

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        stream = f"[{legible(str(record.stream))}] " if hasattr(record, "stream") else ""
        text = f"{time} {record.levelname:8} {stream}{legible(record.getMessage(), lines=True)}"
        if record.exc_info and record.exc_info[1]:
            text = f"{text}\n{legible_traceback(record.exc_info[1])}"
        return indented(text)


def for_programs(form: str) -> bool:
    """Whether the log is written as JSON lines: if ``form`` says so, or is ``auto`` and standard error is no terminal."""
    return form == "json" or (form == "auto" and not sys.stderr.isatty())


def configure(level: str, form: str = "auto") -> None:
    """Send the tailer's log and the warnings of every library to standard error; ``form`` as in ``for_programs``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if for_programs(form) else Text())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("tailer").setLevel(level)


def _legible(value: Any) -> Any:
    """The value without control characters in any text: a name may come from a document or a message."""
    match value:
        case str():
            return legible(value)
        case list() | tuple() | set() | frozenset():
            return [_legible(item) for item in value]
        case dict():
            return {legible(str(name)): _legible(item) for name, item in value.items()}
        case _:
            return value
