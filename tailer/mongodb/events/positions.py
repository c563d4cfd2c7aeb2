"""Resume tokens and cluster times: between the server's BSON and the text of a checkpoint."""

from collections.abc import Mapping
from typing import Any

import bson
from bson import json_util
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

from tailer.mongodb.decoding.elements import elements


def token_text(token: Mapping[str, Any]) -> str:
    """The server's token as opaque text: its ``_data``, or the whole token as JSON if it has other fields."""
    data = token.get("_data")
    if isinstance(data, str) and len(token) == 1:
        return data
    return json_util.dumps(token, json_options=json_util.CANONICAL_JSON_OPTIONS)


def event_token(event: RawBSONDocument) -> str:
    """The text of an event's token. No other field is decoded: a field that a pipeline added may be invalid BSON."""
    raw = bytes(event.raw)
    start = next(start for _, name, start in elements(raw, 0) if raw[name : start - 1] == b"_id")
    return token_text(bson.decode(raw[start : start + int.from_bytes(raw[start : start + 4], "little")]))


def token_document(text: str) -> dict[str, Any]:
    """The token whose ``token_text`` this is."""
    if text.startswith("{"):
        return dict(json_util.loads(text))
    return {"_data": text}


def time_text(time: Timestamp) -> str:
    """A cluster time as ``"seconds.increment"``."""
    return f"{time.time}.{time.inc}"


def time_of(text: str) -> Timestamp:
    """The cluster time of ``"seconds.increment"``."""
    seconds, _, increment = text.partition(".")
    return Timestamp(int(seconds), int(increment))


def next_time(text: str) -> str:
    """The earliest cluster time after this one."""
    time = time_of(text)
    return f"{time.time}.{time.inc + 1}"


def reply_time(reply: Mapping[str, Any]) -> str | None:
    """
    The cluster time at which the server replied: a stream may start there for the first time. None if the reply has none.

    It does not say how far a change stream was scanned.
    """
    time = reply.get("operationTime") or (reply.get("$clusterTime") or {}).get("clusterTime")
    return time_text(time) if time else None
