"""Of a field that appears twice in a document the first value is read, as the server does, and the log reports it once."""

import logging
from copy import copy, deepcopy
from typing import Any

import pytest
from bson import Timestamp, encode
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient

from tailer.mongodb.decoding.duplicate_fields import ALWAYS, EVERY, NAME_LIMIT, DuplicateFields, has_duplicates, is_searched
from tailer.mongodb.decoding.values import decode
from tailer.mongodb.events.change_events import change_from_event
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailrace.questions.images import Uncertain
from tailrace.wire.change import Change, Namespace, canonical
from tests.asked import as_received

Mongo = MongoClient[dict[str, Any]]
Pairs = list[tuple[str, Any]]


class DuplicatedDocument(list[tuple[str, Any]]):
    """A document as a server may store it: its names and values in order, with duplicates."""


def raw_document(held: Any) -> bytes:
    elements = b"".join(element(name, value) for name, value in held)
    return (len(elements) + 5).to_bytes(4, "little") + elements + b"\0"


def element(name: str, value: Any) -> bytes:
    if isinstance(value, DuplicatedDocument):
        return b"\x03" + name.encode() + b"\0" + raw_document(value)
    if isinstance(value, list):
        return b"\x04" + name.encode() + b"\0" + raw_document([(str(place), one) for place, one in enumerate(value)])
    return encode({name: value})[4:-1]


def first_values(value: Any) -> Any:
    """Return what the server finds, worked out from the pairs."""
    if isinstance(value, DuplicatedDocument):
        found: dict[str, Any] = {}
        for name, inner in value:
            if name not in found:
                found[name] = first_values(inner)
        return found
    return [first_values(one) for one in value] if isinstance(value, list) else value


def has_duplicate(value: Any) -> bool:
    inner = [one for _, one in value] if isinstance(value, DuplicatedDocument) else value if isinstance(value, list) else []
    return (isinstance(value, DuplicatedDocument) and len({name for name, _ in value}) < len(value)) or any(
        map(has_duplicate, inner)
    )


names = st.sampled_from(["a", "b", "", "a.b", "$x", "é"])
values = st.recursive(
    st.integers(-2, 2) | st.text("ab", max_size=2) | st.none() | st.floats(-1, 1),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(names, inner), max_size=4).map(DuplicatedDocument),
    max_leaves=12,
)
documents = st.lists(st.tuples(names, values), max_size=6).map(DuplicatedDocument)


@given(documents)
def test_first_value_of_a_duplicate_field_is_read_at_every_depth(held: DuplicatedDocument) -> None:
    """Duplicates are detected exactly where they exist."""
    assert decode(raw_document(held)) == first_values(held)
    assert has_duplicates(raw_document(held)) == has_duplicate(held)
    duplicates = DuplicateFields()
    assert duplicates.decode(raw_document(held)) == first_values(held)


def test_copy_of_a_decoded_document_is_a_plain_dict() -> None:
    """The copy can be changed at any depth without changing the original."""
    document = decode(encode({"a": {"b": [{"c": 1}]}}))
    for copied in (deepcopy(document), copy(document), document.copy(), document | {}, dict(document)):
        assert type(copied) is dict
        assert copied == document
    changed = deepcopy(document)
    changed["a"]["b"][0]["c"] = 2
    assert changed == {"a": {"b": [{"c": 2}]}}
    assert document == {"a": {"b": [{"c": 1}]}}


@pytest.mark.usefixtures("on_mongodb")
def test_stream_reports_the_value_that_the_server_finds(mongo: Mongo, fresh: str, caplog: pytest.LogCaptureFixture) -> None:
    """For an insert and an update. The log has one line for the collection."""
    things = mongo[fresh].create_collection("things", changeStreamPreAndPostImages={"enabled": True})
    source = MongodbSource(mongo, Watch(database=fresh, full_document_before_change="required"))
    start = source.first()
    for number in (1, 2):
        held = DuplicatedDocument(
            [("_id", number), ("a", 1), ("a", 2), ("in", DuplicatedDocument([("b", "x"), ("b", "y")])), ("pad", "x" * 100)]
        )
        things.insert_one(RawBSONDocument(raw_document(held)))
    things.update_one({"_id": 1}, {"$set": {"c": 1}})
    [found] = things.aggregate([{"$match": {"_id": 1}}, {"$project": {"a": "$a", "b": "$in.b"}}])
    changes = [as_received(change) for change in _read(source, start, 3)]
    assert found == {"_id": 1, "a": 1, "b": "x"}
    assert [(change.after or {})["a"] for change in changes] == [1, 1, 1]
    assert [(change.after or {})["in"] for change in changes] == [{"b": "x"}] * 3
    assert (changes[2].before or {})["a"] == 1
    said = [line for line in caplog.records if getattr(line, "action", "") == "duplicate_field"]
    assert [(line.__dict__["collection"], line.__dict__["field"]) for line in said] == [(f"{fresh}.things", "a")]


@pytest.mark.usefixtures("on_mongodb")
@pytest.mark.parametrize("path", ["b", "in.b", "list.0.b"])
def test_post_image_with_a_moved_field_has_the_new_value(
    mongo: Mongo, fresh: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """MongoDB 6.0 has a moved field twice in the post-image, first with its old value. That is no duplicate field."""
    things = mongo[fresh].create_collection("things", changeStreamPreAndPostImages={"enabled": True})
    source = MongodbSource(mongo, Watch(database=fresh, full_document_before_change="required"))
    start = source.first()
    fields = {"a": 1, "b": True, "c": 3}
    moved = {"a": 1, "c": 3, "b": 1}
    before = {"_id": 1, "in": fields, "list": [fields], "pad": "x" * 300, **fields}
    change_of: dict[str, dict[str, Any]] = {"b": moved, "in.b": {"in": moved}, "list.0.b": {"list": [moved]}}
    after = {name: value for name, value in before.items() if name not in change_of[path]} | change_of[path]
    things.insert_one(before)
    things.update_one({"_id": 1}, [{"$replaceWith": {"$literal": after}}])
    assert things.find_one() == after
    change = as_received(_read(source, start, 2)[1])
    assert (change.after, change.post_image) == (after, True)
    assert canonical(change.after) == canonical(after)
    assert change.became(path, 1)
    assert not [line for line in caplog.records if getattr(line, "action", "") == "duplicate_field"]


def _read(source: MongodbSource, start: Any, count: int) -> list[Change]:
    changes: list[Change] = []
    for batch in source.batches(start):
        changes += batch.changes
        if len(changes) >= count:
            break
    return changes


def update_event(updated: DuplicatedDocument) -> RawBSONDocument:
    fields = [
        ("_id", DuplicatedDocument([("_data", "82")])),
        ("operationType", "update"),
        ("clusterTime", Timestamp(1, 1)),
        ("ns", DuplicatedDocument([("db", "d"), ("coll", "c")])),
        ("updateDescription", DuplicatedDocument([("updatedFields", updated), ("removedFields", []), ("truncatedArrays", [])])),
        ("documentKey", DuplicatedDocument([("_id", 1)])),
    ]
    return RawBSONDocument(raw_document(DuplicatedDocument(fields)))


@pytest.mark.parametrize(
    ("updated", "described"),
    [
        (DuplicatedDocument([("a.b", 1), ("a.b", 2)]), False),
        (DuplicatedDocument([*((f"x.{number}", number) for number in range(20)), ("a.b", 1), ("a.b", 2)]), False),
        (DuplicatedDocument([(f"x.{number}", number) for number in range(20)]), True),
        (DuplicatedDocument([("a.b", 1), ("c", DuplicatedDocument([("a.b", 2)]))]), True),
        (DuplicatedDocument([("a.b", 1)]), True),
        (DuplicatedDocument([("a", 1)]), True),
        (DuplicatedDocument([("é.b", 1), ("é.b", 2)]), False),
    ],
)
def test_update_with_the_same_path_twice_has_no_description(updated: DuplicatedDocument, described: bool) -> None:
    """Two fields with this path were set, so every question about it is uncertain."""
    change = change_from_event(update_event(updated), 1)
    assert (change.update_description is not None) is described
    if not described:
        with pytest.raises(Uncertain):
            as_received(change).became("a.b", 1)


def test_duplicate_field_log_is_bounded_and_once_per_collection(caplog: pytest.LogCaptureFixture) -> None:
    """It contains no value of a document."""
    duplicates = DuplicateFields()
    name = "a\n\x1b[31m" + "é" * 500
    for coll in ("one", "one", "two"):
        for held in (DuplicatedDocument([(name, "secret"), (name, "secret")]), DuplicatedDocument([("a", 1)])):
            duplicates.decode(raw_document(held))
            duplicates.log(Namespace(db="d", coll=coll), RawBSONDocument(raw_document(held)))
    assert [line.__dict__["collection"] for line in caplog.records] == ["d.one", "d.two"]
    field = caplog.records[0].__dict__["field"]
    assert field.startswith("a\\n\\x1b[31m\\xe9")
    assert len(field) <= NAME_LIMIT * 10
    assert "secret" not in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


def test_every_event_of_a_small_reply_is_checked_for_duplicates() -> None:
    """Of a large reply a sample is checked."""
    looked = [number for number in range(5_000) if is_searched(number)]
    assert looked[: ALWAYS + 2] == [*range(ALWAYS), 32, 64]
    assert len(looked) < ALWAYS + 5_000 / EVERY + 1
