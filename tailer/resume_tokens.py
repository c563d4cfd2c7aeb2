"""What a resume token says: the id of its change, and the time that the tokens of MongoDB and DocumentDB begin with."""

import hashlib
import json
import re

ID_LIMIT = 65_536  # characters of a token; a checkpoint keeps as many. A token contains the document's _id
_SHORT_LIMIT = 300  # characters that a person can copy; a token with an ordinary _id has about 150
_TIME = 18  # characters at the beginning of a token that contain its cluster time
_BEGIN = re.compile(r"(?:82|01)([0-9A-Fa-f]{8})([0-9A-Fa-f]{8})")  # 82: MongoDB, 01: DocumentDB; seconds, increment


def change_id(token: str) -> str:
    """The id of the change with this token, the same at every read."""
    return token if len(token) <= ID_LIMIT else _digest(token)


def short(identifier: str) -> str:
    """The short form of an id, for a command line or an error."""
    return identifier if len(identifier) <= _SHORT_LIMIT else _digest(identifier)


def _digest(text: str) -> str:
    return f"{text[:_TIME]}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


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
