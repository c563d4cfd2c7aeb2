"""Two document keys have the same text exactly where a real server takes them for the same key."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Context
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp, encode
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.errors import BulkWriteError

from tailer.aws.lanes import lanes
from tailer.errors import Misconfigured
from tailer.mongodb.decoding.document_keys import key_text
from tailer.mongodb.events.change_events import change_from_event
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailrace.wire import identity
from tailrace.wire.change import Change
from tests.tailer.mongodb.events.test_change_events import BARE

Mongo = MongoClient[dict[str, Any]]

OBJECT_ID, UNIQUE = "65f000000000000000000001", UUID("65f00000-0000-4000-8000-000000000001")
THEN = datetime(2026, 11, 22, 7, tzinfo=UTC)
FAR = DatetimeMS(2**62)

NUMBERS = [
    *(0, 7, -7, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)),
    *(0.1, 0.5, 1 / 3, 1e22, 1e23, 1e300, 5e-324, 2.0**63, 2.0**70, float("nan"), float("inf"), float("-inf")),
]


def of_every_type(value: float) -> list[Any]:
    """Return the same number, or the nearest, as every type that can hold it."""
    exact = Context(prec=34).create_decimal(value)
    cut = Context(prec=34, rounding=ROUND_DOWN).create_decimal(value)
    types = [float(value), -float(value), Decimal128(exact), Decimal128(cut)]
    if value == value and abs(value) < 2**63 and value == int(value):
        types += [Int64(int(value)), Decimal128(f"{int(value)}.00")]
    return types


def raw_elements(*element: bytes) -> RawBSONDocument:
    """Build a document of elements that the driver does not write."""
    body = b"".join(element)
    return RawBSONDocument((len(body) + 5).to_bytes(4, "little") + body + b"\x00")


TEXTS = [
    "",
    "a",
    "7",
    "7.0",
    "true",
    "null",
    "NaN",
    OBJECT_ID,
    str(UNIQUE),
    "2026-11-22T07:00:00.000Z",
    "AAE=",
    'a"b',
    "a\x00b",
]
SCALARS = [
    *(value for number in NUMBERS for value in of_every_type(number)),
    *(Decimal128(text) for text in ("-0", "0E+3", "-NaN", "sNaN", "1E+6144", "1E-6176", "9223372036854775808")),
    *TEXTS,
    *(Code(text) for text in ("", "a", "7")),
    *(Code("a", {"x": scope}) for scope in (1, 1.0, 2)),
    *(ObjectId(OBJECT_ID), ObjectId("65f000000000000000000002")),
    *(Binary(data, subtype) for data in (b"", b"a", UNIQUE.bytes) for subtype in (0, 2, 3, 4, 5, 128)),
    *(True, False, None, THEN, FAR, DatetimeMS(-1), MinKey(), MaxKey()),
    *(Timestamp(1, 2), Timestamp(2, 1), Timestamp(int(THEN.timestamp()), 0)),
    DBRef("payments", 7),
    *(raw_elements(b"\x0e" + b"v\x00" + (len(text) + 1).to_bytes(4, "little") + text + b"\x00") for text in (b"a", b"7")),
    *(
        raw_elements(b"\x02" + b"v\x00" + (len(text) + 1).to_bytes(4, "little") + text + b"\x00")
        for text in (b"a", b"\xff", b"\\xff")
    ),
    *(raw_elements(kind + b"v\x00") for kind in (b"\x06", b"\x0a")),
    *(
        raw_elements(*(b"\x08v\x00" + truth for truth in truths))
        for truths in ([b"\x00"], [b"\x01"], [b"\x00", b"\x01"], [b"\x01", b"\x00"])
    ),
    *(
        raw_elements(b"\x0cv\x00\x02\x00\x00\x00a\x00" + ObjectId(hexadecimal).binary)
        for hexadecimal in (OBJECT_ID, OBJECT_ID[::-1])
    ),
]
NESTED = [
    Regex("a"),
    Regex("a", "i"),
    [],
    [7],
    [7.0, None],
    ["7"],
]  # No _id can be a regular expression or an array, but an _id can contain them.

values = st.recursive(
    st.sampled_from(
        [value for value in (*SCALARS, *NESTED) if value is not FAR]
    ),  # The driver cannot read these keys in an error.
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner, max_size=3),
    max_leaves=5,
)
_names = count(1)


def text_of(value: Any) -> str:
    return key_text(encode({"_id": value}))


def assert_keys_match_the_server(mongo: Mongo, keys: Sequence[Any]) -> None:
    """Assert that the server accepts a key as a new document exactly where its text is new."""
    collection = mongo.keys[f"keys{next(_names)}"]
    problems: list[dict[str, Any]] = []
    try:
        collection.insert_many([{"_id": key} for key in keys], ordered=False)
    except BulkWriteError as error:
        problems = error.details["writeErrors"]
    assert {problem["code"] for problem in problems} <= {11000}
    refused = {problem["index"] for problem in problems}
    seen: dict[str, Any] = {}
    for index, key in enumerate(keys):
        text = text_of(key)
        assert (text in seen) == (index in refused), f"{text}: {key!r}, {seen.get(text)!r}"
        seen.setdefault(text, key)
    collection.drop()


@pytest.mark.parametrize("inside", [False, True], ids=["the _id", "in an embedded document"])
def test_key_texts_match_the_server_for_every_type(mongo: Mongo, inside: bool) -> None:
    """Values that the server finds equal have the same text, and no others."""
    assert_keys_match_the_server(mongo, [{"v": value} for value in (*SCALARS, *NESTED)] if inside else SCALARS)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(keys=st.lists(values, min_size=20, max_size=60))
def test_nested_key_texts_match_the_server(mongo: Mongo, keys: list[Any]) -> None:
    """Random documents and arrays, with the same numbers as other types."""
    assert_keys_match_the_server(mongo, [{"v": key} for key in keys])


def assert_equal_values_share_a_lane(fields: Sequence[Any]) -> None:
    """Assert that field values with the same text have the same lane."""
    lane_of, lane_by_text = lanes(100_000, "field"), dict[str, int]()
    for field in fields:
        made = change(fullDocument={"field": field})
        if made.full_document["field"] is not None:  # type: ignore[index]
            assert lane_of(made) == lane_by_text.setdefault(text_of({"v": field}), lane_of(made)), field


def test_equal_values_of_every_type_share_a_field_lane() -> None:
    """Lanes by a field see only plain JSON."""
    assert_equal_values_share_a_lane([*SCALARS, *NESTED])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(fields=st.lists(values, min_size=20, max_size=60))
def test_equal_nested_values_share_a_field_lane(fields: list[Any]) -> None:
    """Random documents and arrays."""
    assert_equal_values_share_a_lane(fields)


def test_field_order_is_part_of_a_key(mongo: Mongo) -> None:
    """As it is for the server."""
    keys = [
        {"a": 1, "b": 2},
        {"b": 2, "a": 1},
        {"a": 1.0, "b": Decimal128("2.0")},
        {"a": {"x": 1, "y": 1}},
        {"a": {"y": 1, "x": 1}},
    ]
    assert_keys_match_the_server(mongo, keys)
    assert len({text_of(key) for key in keys}) == 4


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (ObjectId(OBJECT_ID), OBJECT_ID),
        (OBJECT_ID, f'"{OBJECT_ID}"'),
        ("payment-17", "payment-17"),
        ("tenant:1/user@example.org", "tenant:1/user@example.org"),
        (str(UNIQUE), str(UNIQUE)),
        ("Zoë", '"Zoë"'),
        ("two words", '"two words"'),
        ("", '""'),
        ("a\u202eb", '"a\\u202eb"'),
        (7, "7"),
        (7.0, "7"),
        (Decimal128("7.00"), "7"),
        ("7", '"7"'),
        (0.5, "0.5"),
        (0.1, "Double(0.1)"),
        (Decimal128("0.1"), "0.1"),
        (True, "true"),
        ("true", '"true"'),
        (None, "null"),
        (Binary.from_uuid(UNIQUE), f"UUID({UNIQUE})"),
        (Binary(b"\x00\x01"), "Binary(0,AAE=)"),
        (THEN, "Date(2026-11-22T07:00:00.000Z)"),
        (DatetimeMS(2**62), f"Date({2**62})"),
        (Timestamp(1, 2), "Timestamp(1,2)"),
        ({"tenant": "t1", "n": 7.0, "of": ObjectId(OBJECT_ID)}, f'{{"tenant":"t1","n":7,"of":{OBJECT_ID}}}'),
        (MinKey(), "MinKey()"),
    ],
    ids=repr,
)
def test_key_text_is_readable(key: Any, text: str) -> None:
    """Common types are plain; text that could be taken for another type is marked."""
    assert text_of(key) == text


def test_shard_key_is_part_of_the_name_in_any_order() -> None:
    """The same _id under two shard keys is two documents. A null field equals a missing field."""
    key = ObjectId(OBJECT_ID)
    texts = [
        key_text(encode(fields))
        for fields in (
            {"region": "eu", "n": 7, "_id": key},
            {"_id": key, "n": 7.0, "region": "eu"},
            {"n": Decimal128("7.0"), "_id": key, "region": "eu", "city": None},
            {"region": "us", "n": 7, "_id": key},
            {"region": "eu", "n": "7", "_id": key},
            {"region": "eu&n=7", "_id": key},
            {"_id": key},
        )
    ]
    assert texts[0] == texts[1] == texts[2] == f"{OBJECT_ID}?n=7&region=eu"
    assert len(set(texts)) == 5


def change(**event: Any) -> Change:
    return change_from_event(RawBSONDocument(encode({"_id": {"_data": "82"}, **BARE, **event})), 1)


@settings(max_examples=300, deadline=None)
@given(key=st.sampled_from(SCALARS) | st.text(max_size=300) | values.map(lambda value: {"v": value}))
def test_change_carries_a_name_where_its_json_key_is_not_enough(key: Any) -> None:
    """A reader derives the tailer's name of the document from the change alone."""
    assert change(documentKey={"_id": key}).document == identity.name("a", "b", text_of(key))


@pytest.mark.parametrize("key", [ObjectId(OBJECT_ID), "payment-17", 7, Int64(2**63 - 1), str(UNIQUE)])
def test_common_keys_need_no_name_on_the_wire(key: Any) -> None:
    """Their plain JSON is their name."""
    assert change(documentKey={"_id": key}).document_name == ""


@pytest.mark.parametrize("where", ["fullDocument", "documentKey", "updateDescription", "fullDocumentBeforeChange", "last"])
def test_nested_document_key_fields_are_ignored(where: str) -> None:
    """Stored change events, or a forged document, have such fields before and after the real key."""
    for inner in (ObjectId(OBJECT_ID), OBJECT_ID):
        stored = {"deep": {"documentKey": {"_id": inner}}, "documentKey": {"_id": inner}}
        key: dict[str, Any] = {"_id": OBJECT_ID}
        if where == "documentKey":
            key = stored | key
        behind = (
            {}
            if where in ("fullDocument", "documentKey")
            else {"last": 7, "of": stored}
            if where == "last"
            else {where: stored}
        )
        event = {"fullDocument": stored, "ns": {"db": "a", "coll": "b"}, "documentKey": key, **behind}
        raw_event = encode({"_id": {"_data": "82"}, "operationType": "insert", "clusterTime": Timestamp(7, 1), **event})
        assert change_from_event(RawBSONDocument(raw_event), 1).document.startswith(f'a.b/"{OBJECT_ID}"')


def test_deeply_nested_key_has_a_name_and_a_lane(mongo: Mongo, fresh: str) -> None:
    """200 levels of documents or arrays, the most that a server accepts."""
    lane_of = lanes(128, "_id")
    for wrap in (lambda inner: {"a": inner}, lambda inner: [inner]):
        key: Any = 1
        for _ in range(177):  # The event and its key add levels.
            key = wrap(key)
        mongo[fresh].orders.insert_one({"_id": {"deep": key}})
        made = change(documentKey={"_id": {"deep": key}})
        assert made.document.startswith('a.b/{"deep":')
        assert 0 <= lane_of(made) < 128


@pytest.mark.parametrize("written", ["x", 7, MinKey(), [1]])
def test_pipeline_that_changes_document_key_is_refused(written: Any) -> None:
    """Documents could not be distinguished, or the reader could not read the key."""
    with pytest.raises(Misconfigured, match="TAILER_PIPELINE changes documentKey"):
        change(documentKey=written)


@pytest.mark.parametrize("field", ["ns", "ns.db", "ns.coll", "documentKey", "documentKey._id"])
def test_pipeline_that_removes_document_key_is_refused(mongo: Mongo, fresh: str, field: str) -> None:
    """Every document would have the same name and lane."""
    source = MongodbSource(mongo, Watch(database=fresh, pipeline=[{"$project": {field: 0}}]))
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 1})
    with (
        closing(source.batches(start)) as batches,
        pytest.raises(Misconfigured, match=f"TAILER_PIPELINE removes '{field.partition('.')[0]}'"),
    ):
        list(batches)  # The first change raises.


@pytest.mark.parametrize(
    ("key", "equal"),
    [
        (7, 7.0),
        (7.0, Int64(7)),
        (Int64(7), Decimal128("7.00")),
        (0, -0.0),
        (float("nan"), Decimal128("NaN")),
        ({"a": 1, "b": [2]}, {"a": 1.0, "b": [Int64(2)]}),
    ],
    ids=repr,
)
def test_replaced_document_keeps_its_name_and_lane(mongo: Mongo, fresh: str, key: Any, equal: Any) -> None:
    """A replace may write an equal _id of another type."""
    source = MongodbSource(mongo, Watch(database=fresh))
    start = source.first()
    orders = mongo[fresh].orders
    orders.insert_one({"_id": key, "n": 1})
    assert orders.replace_one({"_id": key}, {"_id": equal, "n": 2}).modified_count == 1
    orders.update_one({"_id": key}, {"$set": {"n": 3}})
    orders.delete_one({"_id": equal})
    changes: list[Change] = []
    with closing(source.batches(start)) as batches:
        while len(changes) < 4:
            changes += next(batches).changes
    assert [one.operation_type for one in changes] == ["insert", "replace", "update", "delete"]
    assert len({one.document for one in changes}) == 1
    assert len({lanes(100_000, "document")(one) for one in changes}) == 1
