"""The id of a change: its resume token, or the beginning and a digest of a token that is too long for a message or an error."""

import hashlib

ID_LIMIT = 65_536  # characters of a token; a checkpoint keeps as many. A token contains the document's _id
_SHORT_LIMIT = 300  # characters that a person can copy; a token with an ordinary _id has about 150
_TIME = 18  # characters at the beginning of a token that contain its cluster time


def change_id(token: str) -> str:
    """The id of the change with this token, the same at every read."""
    return token if len(token) <= ID_LIMIT else _digest(token)


def short(identifier: str) -> str:
    """The short form of an id, for a command line or an error."""
    return identifier if len(identifier) <= _SHORT_LIMIT else _digest(identifier)


def _digest(text: str) -> str:
    return f"{text[:_TIME]}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
