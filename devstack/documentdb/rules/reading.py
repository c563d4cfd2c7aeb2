"""When a cursor gets events, and how long it lives."""

import bson

from devstack.documentdb.cluster import Document
from devstack.documentdb.exchange import Exchange, error
from devstack.documentdb.profiles import Value

IDLE_SECONDS = 600.0
_STALL_SECONDS = 0.02  # between a read and its empty reply, while another client writes many documents
_TOO_MANY = "Cannot open a new cursor since too many cursors are already opened"


def cursor_limit(exchange: Exchange, value: Value) -> Document | None:
    cluster = exchange.cluster
    if exchange.name not in ("find", "aggregate"):
        return None
    for number, cursor in list(cluster.cursors.items()):
        if cluster.clock() - cursor.used > IDLE_SECONDS:
            cluster.cursors.pop(number, None)
    return error(int(cluster.values["too_many_cursors"]), _TOO_MANY) if len(cluster.cursors) >= int(value) else None


def idle_cursor(exchange: Exchange, value: Value) -> Document | None:
    cursor = exchange.cursor
    if cursor and exchange.cluster.clock() - cursor.used > IDLE_SECONDS:
        exchange.cluster.cursors.pop(exchange.command["getMore"], None)
        return error(int(value), f"cursor id {exchange.command['getMore']} not found")
    return None


def stall(exchange: Exchange, value: Value) -> Document | None:
    cluster = exchange.cluster
    if not (cluster.stalled or cluster.writes) or not (exchange.cursor and exchange.cursor.watched):
        return None
    if not cluster.stalled:
        cluster.closing.wait(_STALL_SECONDS)
    cluster.stalled_time += 1
    return _nothing_yet(exchange) | {"operationTime": bson.Timestamp(cluster.stalled_time, 1)}


def scanning(exchange: Exchange, value: Value) -> Document | None:
    """A stream that was opened at a token gets empty replies first; how many is counted from its opening."""
    cursor = exchange.cursor
    if cursor and cursor.empty_replies > 0:
        cursor.empty_replies -= 1
        return _nothing_yet(exchange)
    return None


def _nothing_yet(exchange: Exchange) -> Document:
    number, collection = exchange.command["getMore"], exchange.command["collection"]
    cursor: Document = {"id": bson.Int64(number), "ns": f"{exchange.database}.{collection}", "nextBatch": []}
    if exchange.cursor and exchange.cursor.token:
        cursor["postBatchResumeToken"] = exchange.cursor.token
    return {"cursor": cursor}
