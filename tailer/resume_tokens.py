"""The time inside a resume token. The tokens of MongoDB and DocumentDB begin with it."""

import json
import re

_BEGIN = re.compile(r"(?:82|01)([0-9A-Fa-f]{8})([0-9A-Fa-f]{8})")  # 82: MongoDB, 01: DocumentDB; seconds, increment


def token_time(token: str) -> str | None:
    """
    The cluster time of a resume token, ``"seconds.increment"``. None if the token has an unknown form.

    ``token`` is the text of ``Checkpoint.token``. Everything before this time comes before the token in the stream. The
    increment of DocumentDB's post-batch tokens is 0.
    """
    found = _BEGIN.match(_data(token))
    if found is None or not (seconds := int(found[1], 16)):
        return None
    return f"{seconds}.{int(found[2], 16)}"


def _data(token: str) -> str:
    """The token's ``_data``, also if the text is the whole token as JSON."""
    if not token.startswith("{"):
        return token
    try:
        data = json.loads(token).get("_data")
    except (ValueError, RecursionError):
        return ""
    return data if isinstance(data, str) else ""
