"""How the documents of the table are written, and the expected outcome of each of their changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from tests import bson_bytes as b
from tests.bson_bytes import LARGEST, array, document, element, text
from tests.hostile.outcome import PUBLISHED, Expected

Write = Callable[[Database[Any], str], object]
"""Writes to a collection of this name."""

ID = element(b.INT32, b"_id", b.number(1))
ROOM = LARGEST - 64  # bytes, for everything around the one large value of a document
UPDATED = LARGEST - 2_048  # bytes of one update: its command and its journal entry count towards the server's limit too


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """One entry of the table. Without ``collection`` it has a collection of its own."""

    write: Write
    operations: Sequence[str] = ("insert",)
    expected: Expected = (PUBLISHED,)
    collection: str = ""


def insert(*documents: bytes) -> Write:
    return lambda database, name: database[name].insert_many([RawBSONDocument(one) for one in documents])


def holding(*elements: bytes, collection: str = "") -> Hostile:
    """Return a document with these fields and an ``_id``."""
    return Hostile(write=insert(document(ID, *elements)), collection=collection)


def made(make: Callable[[], bytes], expected: str = PUBLISHED) -> Hostile:
    """Return a document with one large field, which is made when it is written."""
    return Hostile(write=lambda database, name: insert(document(ID, make()))(database, name), expected=(expected,))


def full(kind: int, value: bytes = b"", expected: str = PUBLISHED) -> Hostile:
    """Return 16 MB of one value in an array."""
    return made(lambda: element(b.ARRAY, b"a", array(kind, value, ROOM)), expected)


def long_text(unit: bytes, expected: str = PUBLISHED) -> Hostile:
    """Return 16 MB of one repeated text."""
    return made(lambda: element(b.TEXT, b"a", text(unit * (ROOM // len(unit)))), expected)


def keyed(
    kind: int,
    key: bytes = b"",
    size: int = 0,
    *,
    expected: Expected = (PUBLISHED, PUBLISHED),
    operations: Sequence[str] = ("insert", "delete"),
) -> Hostile:
    """Insert and delete a document with this ``_id``, which has this many bytes."""

    def write(database: Database[Any], name: str) -> None:
        filling = [element(b.TEXT, b"a", text(b"x" * (size - len(key))))] if size else []
        insert(document(element(kind, b"_id", key), *filling))(database, name)
        database[name].delete_many({})

    return Hostile(write=write, operations=operations, expected=expected)


def updated(
    change: Any, first: Mapping[str, Any] | None = None, operation: str = "update", *, expected: str = PUBLISHED
) -> Hostile:
    """Insert a document and update it: with an update document, a pipeline, or a function that returns either."""

    def write(database: Database[Any], name: str) -> None:
        database[name].insert_one({**(first or {}), "_id": 1})
        database[name].update_one({"_id": 1}, change() if callable(change) else change)

    return Hostile(write=write, operations=("insert", operation), expected=(PUBLISHED, expected))


def setting(make: Callable[[], bytes]) -> Callable[[], Mapping[str, Any]]:
    """Return an update that sets a field, in BSON."""
    return lambda: {"$set": RawBSONDocument(document(make()))}


def in_transaction(documents: Sequence[Mapping[str, Any]]) -> Hostile:
    def write(database: Database[Any], name: str) -> None:
        database.create_collection(name)
        with database.client.start_session() as session, session.start_transaction():
            database[name].insert_many(documents, session=session)

    return Hostile(write=write, operations=["insert"] * len(documents), expected=[PUBLISHED] * len(documents))


def after_one_another(count: int, field: Callable[[], bytes], expected: str = PUBLISHED) -> Hostile:
    """Insert this many documents with one large field each."""

    def write(database: Database[Any], name: str) -> None:
        for number in range(count):
            insert(document(element(b.INT32, b"_id", b.number(number)), field()))(database, name)

    return Hostile(write=write, operations=["insert"] * count, expected=[expected] * count)
