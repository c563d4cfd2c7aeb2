"""Converts one event of a change stream, as the server sends it, into a ``Change``."""

from collections.abc import Sequence

from bson.raw_bson import RawBSONDocument

from tailer.errors import Misconfigured
from tailer.mongodb.decoding.document_keys import key_name
from tailer.mongodb.decoding.duplicate_fields import DuplicateFields, exact_post_image, has_duplicates
from tailer.mongodb.decoding.values import decode
from tailer.mongodb.events.positions import event_token
from tailer.resume_tokens import change_id
from tailrace.wire import identity
from tailrace.wire.change import Change, Document, Namespace, Transaction, UpdateDescription

INVALIDATE = "invalidate"  # what was watched is gone: a position, not a change; its token cannot be resumed after
_COUNTED_NAMES = 8  # names that are counted in the raw event; with more of them a second decoding is cheaper
_OF_A_DOCUMENT = frozenset({"insert", "update", "replace", "delete"})


def change_from_event(
    raw: RawBSONDocument, sequence: int, *, post_image: bool = False, duplicates: DuplicateFields | None = None
) -> Change:
    """
    The change of one event, with its number. ``post_image``: the document of an update is its post-image, not a lookup.
    ``duplicates`` finds and logs fields that the event contains twice. If the pipeline removed a field that identifies the
    change, raise ``Misconfigured``.
    """
    event = duplicates.decode(raw.raw) if duplicates else decode(raw.raw)
    try:
        token, operation, time = event["_id"], event["operationType"], event["clusterTime"]["$timestamp"]
        ns, key = _namespace_and_key(event)
    except KeyError as missing:
        raise Misconfigured(
            f"TAILER_PIPELINE removes {missing}, which the tailer needs, from the event: keep every field but the documents"
        ) from missing
    document, exact = event.get("fullDocument"), None
    if post_image and document is not None and operation == "update":
        exact = exact_post_image(document, (event.get("updateDescription") or {}).get("updatedFields") or {}, raw)
    if duplicates:
        duplicates.log(ns, raw, stored=not post_image)
    name = key_name(bytes(raw.raw), key) if key else ""
    return Change(
        id=change_id(_token_text(token, raw)),
        sequence=sequence,
        operation_type=operation,
        ns=ns,
        cluster_time=f"{time['t']}.{time['i']}",
        document_key=key,
        document_name=identity.name(ns.db, ns.coll, name) if name else "",
        wall_time=event.get("wallTime"),
        full_document=document if exact is None else exact,
        full_document_before_change=event.get("fullDocumentBeforeChange"),
        update_description=_update_description(event.get("updateDescription"), raw),
        txn=_transaction(event),
        to=_namespace(event["to"]) if "to" in event and operation == "rename" else None,
        post_image=exact is not None,
    )


def _token_text(decoded: Document, raw: RawBSONDocument) -> str:
    """As ``event_token``, but faster if the token is text, as with every current server."""
    data = decoded.get("_data")
    return data if isinstance(data, str) and data[:1] in "08" and len(decoded) == 1 else event_token(raw)


def _namespace(ns: Document) -> Namespace:
    return Namespace(db=ns.get("db", ""), coll=ns.get("coll", ""))


def _namespace_and_key(event: Document) -> tuple[Namespace, Document]:
    """The namespace and the document key. Only the event of a document must have both."""
    ns, key = _namespace(event.get("ns") or {}), event.get("documentKey") or {}
    if event["operationType"] in _OF_A_DOCUMENT:
        if not (ns.db and ns.coll):
            raise KeyError("ns")
        if not key:
            raise KeyError("documentKey")
    return ns, key


def _update_description(described: Document | None, raw: RawBSONDocument) -> UpdateDescription | None:
    """The description of an update. None if it has two values for one path, because two fields have that path."""
    if described is None:
        return None
    updated = described.get("updatedFields") or {}
    dotted = [name for name in updated if "." in name]
    if (
        dotted
        and _may_have_duplicates(dotted, bytes(raw.raw))
        and has_duplicates(raw["updateDescription"]["updatedFields"].raw)
    ):
        return None
    return UpdateDescription(
        updated_fields=updated,
        removed_fields=described.get("removedFields") or [],
        truncated_arrays=described.get("truncatedArrays") or [],
        disambiguated_paths=described.get("disambiguatedPaths"),
    )


def _may_have_duplicates(names: Sequence[str], event: bytes) -> bool:
    """Whether one of the names occurs twice in the event. Only a name with a dot can be the path of two fields."""
    return len(names) > _COUNTED_NAMES or any(
        event.count(b"%b\0" % name.encode("utf-8", "surrogatepass")) != 1 for name in names
    )


def _transaction(event: Document) -> Transaction | None:
    if "txnNumber" not in event or "lsid" not in event:
        return None
    return Transaction(lsid=str(event["lsid"].get("id", "")), txn_number=event["txnNumber"])
