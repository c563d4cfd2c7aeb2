"""
Resume tokens as DocumentDB writes them, and the history that they point to.

A token contains mongod's token whole, so that it can be resumed after the dialect was started again.
"""

import re
import time
from typing import Any

import bson

from devstack.documentdb.cluster import Document
from devstack.documentdb.exchange import Exchange, error
from devstack.documentdb.profiles import Value

LOST = "CappedPositionLost: CollectionScan died due to position in capped collection being deleted."
_OURS = re.compile(r"01(?P<seconds>[0-9A-F]{8})(?P<increment>[0-9A-F]{8})(?:01|04(?P<behind>[0-9A-F]{8}))(?P<rest>[0-9A-F]*)")
_INVALID = "Invalid resume token"
_MONGODBS_INVALID = {260, 50811, 40649, 15}  # its codes for a token that it cannot read
_MONGODBS_LOST = re.compile("no longer be in the oplog|token was not found")


def encode(token: Document, *, post_batch: bool) -> Document:
    """Return the token of mongod as one of DocumentDB."""
    data, bits = token["_data"], bytes(token.get("_typeBits", b""))
    rest = f"{len(bits):04X}{bits.hex().upper()}{data[18:]}"
    if post_batch:
        return {"_data": f"01{data[2:10]}0000000004{data[10:18]}{rest}"}
    return {"_data": f"01{data[2:18]}01{rest}"}


def decode(token: Any) -> Document | None:
    """Return the token of mongod in one of DocumentDB; None if it is not one."""
    data = token.get("_data") if isinstance(token, dict) else None
    found = _OURS.fullmatch(data) if isinstance(data, str) else None
    if not found:
        return None
    size, rest = int(found["rest"][:4] or "0", 16) * 2, found["rest"][4:]
    mongods: Document = {"_data": f"82{found['seconds']}{found['behind'] or found['increment']}{rest[size:]}"}
    return mongods | ({"_typeBits": bson.Binary(bytes.fromhex(rest[:size]))} if size else {})


def lost_token(exchange: Exchange, value: Value) -> Document | None:
    return error(int(value), LOST) if exchange.cluster.lost and _resumes(exchange) else None


def upgraded_tokens(exchange: Exchange, value: Value) -> Document | None:
    if _resumes(exchange) and value != "valid" and (_seconds(exchange) or 0) < exchange.cluster.upgraded:
        return error(int(value), _INVALID)
    return None


def retention(exchange: Exchange, value: Value) -> Document | None:
    seconds, kept = _seconds(exchange), int(exchange.cluster.values["retention_seconds"])
    if value == "size" or seconds is None or seconds >= time.time() - kept:
        return None
    row = exchange.cluster.values["lost_token" if _resumes(exchange) else "lost_time"]
    return None if row == "oldest" else error(int(row), LOST)


def foreign_token(exchange: Exchange, value: Value) -> Document | None:
    """Give mongod its own token back, or refuse the token."""
    if not _resumes(exchange):
        return None
    options = exchange.watching or {}
    token = decode(options["resumeAfter"])
    if token is None:
        return error(int(value), _INVALID)
    options["resumeAfter"] = token
    exchange.changed = True
    return None


def refused_token(exchange: Exchange, value: Value) -> None:
    if _resumes(exchange) and exchange.code in _MONGODBS_INVALID:
        _replace_error(exchange, int(value), _INVALID)


def expired_token(exchange: Exchange, value: Value) -> None:
    if exchange.of_stream and exchange.code and _MONGODBS_LOST.search(exchange.reply.fields.get("errmsg") or ""):
        _replace_error(exchange, int(value), LOST)


def resume_token(exchange: Exchange, value: Value) -> None:
    """Write every token of the reply in the form of DocumentDB."""
    for event in exchange.reply.events:
        event.set("_id", encode(event.get("_id"), post_batch=False))
    cursor = exchange.reply.cursor
    if cursor and (token := cursor.get("postBatchResumeToken")):
        cursor.set("postBatchResumeToken", encode(token, post_batch=True))


def post_batch_token(exchange: Exchange, value: Value) -> None:
    if exchange.reply.cursor and value == "absent":
        exchange.reply.cursor.remove("postBatchResumeToken")


def first_post_batch_token(exchange: Exchange, value: Value) -> None:
    if exchange.watching is not None:
        post_batch_token(exchange, value)


def _resumes(exchange: Exchange) -> bool:
    return "resumeAfter" in (exchange.watching or {})


def _seconds(exchange: Exchange) -> int | None:
    """Return the time of the position where the stream opens."""
    options = exchange.watching or {}
    token = options.get("resumeAfter", {}).get("_data", "")
    if found := _OURS.fullmatch(token):
        return int(found["seconds"], 16)
    at = options.get("startAtOperationTime")
    return at.time if at else None


def _replace_error(exchange: Exchange, code: int, text: str) -> None:
    exchange.reply.fields.set("code", code)
    exchange.reply.fields.set("errmsg", text)
    exchange.reply.fields.remove("codeName", "errorLabels")
