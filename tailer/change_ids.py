"""The id of a change: its resume token, or where that is too long for a message or an error, its beginning and a digest."""

import hashlib

ID_LIMIT = 65_536  # characters of a token; as many as a checkpoint keeps. A token holds the document's _id
_SHOWN = 300  # characters that a person can copy; a token with an ordinary _id has about 150
_TIME = 18  # characters at the beginning of a token that say its cluster time


def change_id(token: str) -> str:
    """The id of the change with this token: the same however often it is read."""
    return token if len(token) <= ID_LIMIT else _digest(token)


def short(identifier: str) -> str:
    """An id for a command line and an error: itself, or its digest where it is long."""
    return identifier if len(identifier) <= _SHOWN else _digest(identifier)


def _digest(text: str) -> str:
    return f"{text[:_TIME]}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
