"""The errors of a wrong TOML file. They never quote an unknown key: it may be a secret in the wrong place."""

import difflib
import re
from collections.abc import Collection, Sequence

# The errors of the parser that quote no key begin with:
_WITHOUT_A_KEY = ("Expected ", "Found invalid character ", "Illegal character ", "Unescaped ")
_POSITION = re.compile(r" \(at [^()]*\)$")
_REMEDY = "correct that place: texts stand in quotes, quotes and brackets are closed, and no key is there twice"
_SECRET = re.compile(r"(?i)pass|secret|token|credential|access_?key")


def unreadable(error: Exception) -> str:
    """Return the error of the file or its parser with the position and the remedy, without the key or table that it names."""
    text = str(error)
    if isinstance(error, OSError):
        return f"{error.strerror}; use a file that exists and that you may read"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8; save it as UTF-8"
    place = _POSITION.search(text)
    reason = _POSITION.sub("", text)
    if not text.startswith(_WITHOUT_A_KEY):
        reason = re.split(r"[('\"]", reason, maxsplit=1)[0].strip()
    return f"{reason}{place[0] if place else ''}; {_REMEDY}"


def unknown(keys: Sequence[str], known: Collection[str], where: str = "") -> str:
    """Return how many unknown keys there are (``where`` is for example ``in [payments]``), and the settings they resemble."""
    close = [found for key in keys for found in difflib.get_close_matches(_plain(key), known, n=1)]
    count = "a key" if len(keys) == 1 else f"{len(keys)} keys"
    problem = " ".join(filter(None, [count, where, "is not a setting" if len(keys) == 1 else "are not settings"]))
    remedy = f"did you mean {', '.join(dict.fromkeys(close))}?" if close else f"there are {', '.join(known)}"
    secret = "; a secret does not belong in this file" if any(map(_SECRET.search, keys)) else ""
    return f"{problem}; {remedy}{secret}"


def _plain(key: str) -> str:
    return key.lower().removeprefix("tailer_")
