"""
Write a message of every operation and encoding, from a real server through the tailer's own code. ``python -P -m
tests.samples.write_wire`` adds missing samples and never changes an existing one.
"""

import datetime
import hashlib
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from pymongo import MongoClient

from devstack import DevStack
from tailer.aws.packing import Packer
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailrace.wire.change import Change, Claim, Namespace, Poison, UpdateDescription

V1 = Path(__file__).parent / "wire" / "v1"
CREATED = datetime.datetime(2026, 11, 22, 7, 0, tzinfo=datetime.UTC)

EVERY_BSON_TYPE: dict[str, Any] = {
    "double": 1.5,
    "nan": float("nan"),
    "infinity": float("inf"),
    "minusInfinity": float("-inf"),
    "string": "ü\u0000\uffff",
    "object": {"$a.b": {"c": [1, [2, {"d": None}]]}},
    "array": [1, "two", None],
    "binary": b"\x00\xff",
    "md5": Binary(b"0123456789abcdef", 5),
    "uuid": Binary.from_uuid(uuid.UUID(int=1)),
    "legacyUuid": Binary(bytes(range(16)), 3),
    "objectId": ObjectId("65f000000000000000000001"),
    "bool": True,
    "date": CREATED,
    "farDate": DatetimeMS(2**62),
    "null": None,
    "regex": Regex("^a", "imx"),
    "dbRef": DBRef("payments", ObjectId("65f000000000000000000002"), "payments"),
    "code": Code("return 1"),
    "codeWithScope": Code("return x", {"x": ObjectId("65f000000000000000000003")}),
    "int": 1,
    "timestamp": Timestamp(1795332226, 1),
    "long": Int64(2**63 - 1),
    "decimal": Decimal128("1.10"),
    "decimalNan": Decimal128("NaN"),
    "minKey": MinKey(),
    "maxKey": MaxKey(),
}


def payment(**fields: Any) -> dict[str, Any]:
    given = {
        "_id": ObjectId(),
        "subscriptionId": "sub-1",
        "accountNumber": "12345678",
        "status": "created",
        "created": CREATED,
        "updated": CREATED,
    }
    return given | fields


def _in_a_transaction(mongo: "MongoClient[Any]") -> None:
    with mongo.start_session() as session, session.start_transaction():
        mongo.payments.payments.insert_many([payment(), payment()], session=session)


def _deep(levels: int) -> Any:
    return {"a": [_deep(levels - 1)]} if levels else "bottom"


WRITES: dict[str, Callable[["MongoClient[Any]"], Any]] = {
    "insert": lambda mongo: mongo.payments.payments.insert_one(payment(_id="p1")),
    "update": lambda mongo: mongo.payments.payments.update_one(
        {"_id": "p1"}, {"$set": {"status": "cancelled"}, "$unset": {"updated": 1}}
    ),
    "replace": lambda mongo: mongo.payments.payments.replace_one({"_id": "p1"}, payment(_id="p1", status="refunded")),
    "delete": lambda mongo: mongo.payments.payments.delete_one({"_id": "p1"}),
    "transaction": _in_a_transaction,
    "compound-key": lambda mongo: mongo.payments.payments.insert_one(payment(_id={"b": 1, "a": ObjectId()})),
    "every-bson-type": lambda mongo: mongo.payments.payments.insert_one({"_id": "types", **EVERY_BSON_TYPE}),
    "deep": lambda mongo: mongo.payments.payments.insert_one({"_id": "deep", "deep": _deep(40)}),
    "many-gzip": lambda mongo: mongo.payments.payments.insert_many([payment() for _ in range(40)]),
    "one-large-gzip": lambda mongo: mongo.payments.payments.insert_one(payment(note="x" * 20_000)),
    "rename": lambda mongo: mongo.payments.payments.rename("old"),
    "drop": lambda mongo: mongo.payments.old.drop(),
    "drop-database": lambda mongo: mongo.drop_database("payments"),
    "rename-to": lambda mongo: [mongo.payments.payments.insert_one(payment()), mongo.payments.payments.rename("archive")],
}


WRITES["document-names"] = lambda mongo: mongo.payments.payments.insert_many(
    [
        {"_id": key}
        for key in (
            *("65f000000000000000000001", "two words", "7", "x" * 300),
            *(7.0, 0.1, Decimal128("7.10"), Binary.from_uuid(uuid.UUID(int=1)), CREATED, True, {"b": 1, "a": ObjectId()}),
        )
    ]
)


MADE: dict[str, Change] = {
    "update-paths": Change(  # as MongoDB 8.2 sends it
        id="8265F2A1C0000000011270",
        sequence=41,
        operation_type="update",
        ns=Namespace(db="payments", coll="payments"),
        cluster_time="1795332226.1",
        document_key={"_id": "p1"},
        full_document={"_id": "p1", "a": {"b": 1, "0": 2}, "a.b": 2},
        full_document_before_change={"_id": "p1", "a": {"b": 1, "0": 1}},
        update_description=UpdateDescription(
            updated_fields={"a.0": 2, "a.b": 2}, disambiguated_paths={"a.0": ["a", "0"], "a.b": ["a.b"]}
        ),
        post_image=True,
    ),
    "stub": Change(
        id="8265F2A1C0000000011270",
        sequence=42,
        operation_type="insert",
        ns=Namespace(db="payments", coll="payments"),
        cluster_time="1795332226.1",
        document_key={"_id": "p1"},
        poison=Poison(
            reason="it is 72351838 bytes of JSON, and a reader takes 67108864 at most",
            raw=Claim(bucket="claims", key=f"payments/1/42-{'0' * 64}.bson", bytes=12_059_010, sha256="0" * 64),
        ),
    ),
    "stub-unread": Change(
        id="8265F2A1C0000000012B022C0100296E5A1004-unread",
        sequence=43,
        operation_type="unknown",
        ns=Namespace(db="payments"),
        cluster_time="1795332226.1",
        document_name="payments/8265F2A1C0000000012B022C0100296E5A1004-unread",
        poison=Poison(reason="its event is larger than the 16 MB that the server can send, even without its document"),
    ),
}
"""What the server here does not send."""


def _add(name: str, changes: Sequence[Change]) -> None:
    [message] = Packer(stream="payments", generation=1).messages(17, changes)
    path = V1 / f"{name}.json"
    if not path.exists():
        path.write_text(message.body)


def main() -> None:
    """Add the missing samples."""
    with DevStack(forwarder=False) as stack:
        source = MongodbSource(stack.mongo, Watch(but_not="tailrace"))
        after = source.first()
        for name, write in WRITES.items():
            write(stack.mongo)
            changes: list[Change] = []
            for batch in source.batches(after):
                after = batch.checkpoint
                changes += batch.changes
                if changes and not batch.changes:
                    break
            _add(name, changes)
    for name, change in MADE.items():
        _add(name, [change])
    sums = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(V1.glob("*.json")))
    (V1 / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main()
