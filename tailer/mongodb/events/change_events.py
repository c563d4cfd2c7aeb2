"""One event of a change stream, as the server sends it, into one ``Change``; and the server's positions into text."""

from collections.abc import Mapping, Sequence
from typing import Any

import bson
from bson import json_util
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

from tailer.change_ids import change_id
from tailer.errors import Misconfigured
from tailer.mongodb.decoding.document_keys import key_name
from tailer.mongodb.decoding.duplicate_fields import DuplicateFields, twice
from tailer.mongodb.decoding.post_images import checked
from tailer.mongodb.decoding.undefined import elements
from tailer.mongodb.decoding.values import decode
from tailrace.wire import identity
from tailrace.wire.change import Change, Document, Namespace, Transaction, UpdateDescription

_FEW = 8  # names that are looked for one by one in an event; more are decoded once more
_OF_A_DOCUMENT = frozenset({"insert", "update", "replace", "delete"})
INVALIDATE = "invalidate"  # what was watched is gone: a position, not a change; its token cannot be resumed after


def change_from_event(
    raw: RawBSONDocument, sequence: int, *, post_image: bool = False, duplicates: DuplicateFields | None = None
) -> Change:
    """
    The change of one event, numbered. ``post_image``: the document of an update is not looked up, but as it was just after it.
    ``duplicates`` look the event through and say what they find.

    Raises:
        Misconfigured: the pipeline took away a field that identifies the change.
    """
    event = duplicates.decode(raw.raw) if duplicates else decode(raw.raw)
    try:
        token, operation, time = event["_id"], event["operationType"], event["clusterTime"]["$timestamp"]
        ns, key = _where(event)
    except KeyError as missing:
        raise Misconfigured(
            f"TAILER_PIPELINE removes {missing} from the event: keep every field but the documents"
        ) from missing
    document, exact = event.get("fullDocument"), None
    if post_image and document is not None and operation == "update":
        exact = checked(document, (event.get("updateDescription") or {}).get("updatedFields") or {}, raw)
    if duplicates:
        duplicates.report(ns, raw, stored=not post_image)
    told = key_name(bytes(raw.raw), key) if key else ""
    return Change(
        id=change_id(_token_text(token, raw)),
        sequence=sequence,
        operation_type=operation,
        ns=ns,
        cluster_time=_seconds_and_increment(time),
        document_key=key,
        document_name=identity.name(ns.db, ns.coll, told) if told else "",
        wall_time=event.get("wallTime"),
        full_document=document if exact is None else exact,
        full_document_before_change=event.get("fullDocumentBeforeChange"),
        update_description=_update_description(event.get("updateDescription"), raw),
        txn=_transaction(event),
        to=_namespace(event["to"]) if "to" in event and operation == "rename" else None,
        post_image=exact is not None,
    )


def token_text(token: Mapping[str, Any]) -> str:
    """The server's token as opaque text: what it calls ``_data``, or the whole token where it is of another kind."""
    data = token.get("_data")
    if isinstance(data, str) and len(token) == 1:
        return data
    return json_util.dumps(token, json_options=json_util.CANONICAL_JSON_OPTIONS)


def event_token(event: RawBSONDocument) -> str:
    """The text of an event's token. Nothing else of the event is looked at: a field that a pipeline added may be no BSON."""
    raw = bytes(event.raw)
    start = next(start for _, name, start in elements(raw, 0) if raw[name : start - 1] == b"_id")
    return token_text(bson.decode(raw[start : start + int.from_bytes(raw[start : start + 4], "little")]))


def token_document(text: str) -> dict[str, Any]:
    """The token that ``token_text`` made this text of."""
    if text.startswith("{"):
        return dict(json_util.loads(text))
    return {"_data": text}


def time_text(time: Timestamp) -> str:
    """A cluster time as ``"seconds.increment"``."""
    return f"{time.time}.{time.inc}"


def reply_time(reply: Mapping[str, Any]) -> str | None:
    """
    The cluster time at which the server answered, where it tells: every current one does, in one of two places.

    Where a stream may start for the first time. It says nothing of how far a change stream has looked.
    """
    time = reply.get("operationTime") or (reply.get("$clusterTime") or {}).get("clusterTime")
    return time_text(time) if time else None


def time_of(text: str) -> Timestamp:
    """The cluster time of ``"seconds.increment"``."""
    seconds, _, increment = text.partition(".")
    return Timestamp(int(seconds), int(increment))


def next_time(text: str) -> str:
    """The earliest cluster time after this one."""
    time = time_of(text)
    return f"{time.time}.{time.inc + 1}"


def _token_text(decoded: Document, raw: RawBSONDocument) -> str:
    """As ``token_text``, without a second look at the event where the token is text, as with every current server."""
    data = decoded.get("_data")
    return data if isinstance(data, str) and data[:1] in "08" and len(decoded) == 1 else event_token(raw)


def _namespace(ns: Document) -> Namespace:
    return Namespace(db=ns.get("db", ""), coll=ns.get("coll", ""))


def _where(event: Document) -> tuple[Namespace, Document]:
    """The namespace and the document key; neither is there of every event, but both are of a document's."""
    ns, key = _namespace(event.get("ns") or {}), event.get("documentKey") or {}
    if event["operationType"] in _OF_A_DOCUMENT:
        if not (ns.db and ns.coll):
            raise KeyError("ns")
        if not key:
            raise KeyError("documentKey")
    return ns, key


def _seconds_and_increment(timestamp: Document) -> str:
    return f"{timestamp['t']}.{timestamp['i']}"


def _update_description(described: Document | None, raw: RawBSONDocument) -> UpdateDescription | None:
    """What the server says of an update; None where it says two things of one path: two fields are written so."""
    if described is None:
        return None
    updated = described.get("updatedFields") or {}
    dotted = [name for name in updated if "." in name]
    if dotted and _may_come_twice(dotted, bytes(raw.raw)) and twice(raw["updateDescription"]["updatedFields"].raw):
        return None
    return UpdateDescription(
        updated_fields=updated,
        removed_fields=described.get("removedFields") or [],
        truncated_arrays=described.get("truncatedArrays") or [],
        disambiguated_paths=described.get("disambiguatedPaths"),
    )


def _may_come_twice(names: Sequence[str], event: bytes) -> bool:
    """Whether it is worth a look: only a name with a dot can be that of two fields, and it is rarely anywhere else."""
    return len(names) > _FEW or any(event.count(b"%b\0" % name.encode("utf-8", "surrogatepass")) != 1 for name in names)


def _transaction(event: Document) -> Transaction | None:
    if "txnNumber" not in event or "lsid" not in event:
        return None
    return Transaction(lsid=str(event["lsid"].get("id", "")), txn_number=event["txnNumber"])
