"""
What is said of a wrong TOML file: never the text of a key that we do not know. It may be a secret in the wrong place.
"""

import difflib
import re
from collections.abc import Collection, Sequence

# How those errors of a parser begin that quote no key:
_OWN_WORDS = ("Expected ", "Found invalid character ", "Illegal character ", "Unescaped ")
_POSITION = re.compile(r" \(at [^()]*\)$")
_SECRET = re.compile(r"(?i)pass|secret|token|credential|access_?key")


def unreadable(error: Exception) -> str:
    """What a parser says of the text, and where; of a key or table that it names only the place is left."""
    text = str(error)
    if not isinstance(error, ValueError) or text.startswith(_OWN_WORDS):
        return text
    place = _POSITION.search(text)
    said = _POSITION.sub("", text)
    return re.split(r"[('\"]", said, maxsplit=1)[0].strip() + (place[0] if place else "")


def unknown(keys: Sequence[str], known: Collection[str], where: str = "") -> str:
    """How many unknown keys there are (``where``: for example ``in [payments]``), and the settings they resemble."""
    close = [found for key in keys for found in difflib.get_close_matches(_plain(key), known, n=1)]
    count = "a key" if len(keys) == 1 else f"{len(keys)} keys"
    told = " ".join(filter(None, [count, where, "is not a setting" if len(keys) == 1 else "are not settings"]))
    remedy = f"did you mean {', '.join(dict.fromkeys(close))}?" if close else f"there are {', '.join(known)}"
    secret = "; a secret does not belong into this file" if any(map(_SECRET.search, keys)) else ""
    return f"{told}; {remedy}{secret}"


def _plain(key: str) -> str:
    return key.lower().removeprefix("tailer_")
