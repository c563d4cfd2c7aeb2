"""Two keys have one text exactly where a real server takes them for one key."""

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
from tailer.mongodb.change_events import change_from_event
from tailer.mongodb.decoding.document_keys import key_text
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailrace.wire import identity
from tailrace.wire.change import Change
from tests.tailer.mongodb.test_change_events import BARE

Mongo = MongoClient[dict[str, Any]]

OBJECT_ID, UNIQUE = "65f000000000000000000001", UUID("65f00000-0000-4000-8000-000000000001")
THEN = datetime(2026, 11, 22, 7, tzinfo=UTC)
FAR = DatetimeMS(2**62)

NUMBERS = [
    *(0, 7, -7, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)),
    *(0.1, 0.5, 1 / 3, 1e22, 1e23, 1e300, 5e-324, 2.0**63, 2.0**70, float("nan"), float("inf"), float("-inf")),
]


def of_every_type(value: float) -> list[Any]:
    """The same number, or the nearest, as every type that can hold it."""
    exact = Context(prec=34).create_decimal(value)
    cut = Context(prec=34, rounding=ROUND_DOWN).create_decimal(value)
    types = [float(value), -float(value), Decimal128(exact), Decimal128(cut)]
    if value == value and abs(value) < 2**63 and value == int(value):
        types += [Int64(int(value)), Decimal128(f"{int(value)}.00")]
    return types


def raw(*element: bytes) -> RawBSONDocument:
    """A document of elements that the driver does not write."""
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
    *(raw(b"\x0e" + b"v\x00" + (len(text) + 1).to_bytes(4, "little") + text + b"\x00") for text in (b"a", b"7")),
    *(raw(b"\x02" + b"v\x00" + (len(text) + 1).to_bytes(4, "little") + text + b"\x00") for text in (b"a", b"\xff", b"\\xff")),
    *(raw(kind + b"v\x00") for kind in (b"\x06", b"\x0a")),
    *(
        raw(*(b"\x08v\x00" + truth for truth in truths))
        for truths in ([b"\x00"], [b"\x01"], [b"\x00", b"\x01"], [b"\x01", b"\x00"])
    ),
    *(raw(b"\x0cv\x00\x02\x00\x00\x00a\x00" + ObjectId(hexadecimal).binary) for hexadecimal in (OBJECT_ID, OBJECT_ID[::-1])),
]
NESTED = [Regex("a"), Regex("a", "i"), [], [7], [7.0, None], ["7"]]  # which no _id can be, but hold

values = st.recursive(
    st.sampled_from([value for value in (*SCALARS, *NESTED) if value is not FAR]),  # which the driver cannot read in an error
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner, max_size=3),
    max_leaves=5,
)
_names = count(1)


def text_of(value: Any) -> str:
    return key_text(encode({"_id": value}))


def assert_told_apart(mongo: Mongo, keys: Sequence[Any]) -> None:
    """The server takes a key for a second document exactly where its text is new."""
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
def test_every_kind_of_value_against_every_other(mongo: Mongo, inside: bool) -> None:
    """All of them in one collection: what the server finds equal has one text, and nothing else has."""
    assert_told_apart(mongo, [{"v": value} for value in (*SCALARS, *NESTED)] if inside else SCALARS)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(keys=st.lists(values, min_size=20, max_size=60))
def test_embedded_documents_and_arrays_are_told_apart_as_the_server_does(mongo: Mongo, keys: list[Any]) -> None:
    """Random ones: in their order, by their names, with every number equal to itself as another type."""
    assert_told_apart(mongo, [{"v": key} for key in keys])


def assert_equal_ones_meet(fields: Sequence[Any]) -> None:
    """As fields that order a stream, values of one text have one lane."""
    lane_of, lane_by_text = lanes(100_000, "field"), dict[str, int]()
    for field in fields:
        made = change(fullDocument={"field": field})
        if made.full_document["field"] is not None:  # type: ignore[index]
            assert lane_of(made) == lane_by_text.setdefault(text_of({"v": field}), lane_of(made)), field


def test_every_kind_of_value_orders_a_stream_with_its_equals() -> None:
    """Where a document is ordered by a field, plain JSON is all there is: equal values still share a lane."""
    assert_equal_ones_meet([*SCALARS, *NESTED])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(fields=st.lists(values, min_size=20, max_size=60))
def test_documents_and_arrays_order_a_stream_with_their_equals(fields: list[Any]) -> None:
    """Random ones."""
    assert_equal_ones_meet(fields)


def test_the_order_of_fields_is_part_of_a_key(mongo: Mongo) -> None:
    """As to the server."""
    keys = [
        {"a": 1, "b": 2},
        {"b": 2, "a": 1},
        {"a": 1.0, "b": Decimal128("2.0")},
        {"a": {"x": 1, "y": 1}},
        {"a": {"y": 1, "x": 1}},
    ]
    assert_told_apart(mongo, keys)
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
def test_a_key_is_readable(key: Any, text: str) -> None:
    """The common ones are plain; what could be taken for another type is marked."""
    assert text_of(key) == text


def test_a_shard_key_is_part_of_it_in_any_order() -> None:
    """The same _id under two shard keys is two documents; a field that is null is one that is not there."""
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
def test_a_change_says_the_name_wherever_its_plain_json_does_not(key: Any) -> None:
    """Whoever has the change has the name that the tailer made of the BSON."""
    assert change(documentKey={"_id": key}).document == identity.name("a", "b", text_of(key))


@pytest.mark.parametrize("key", [ObjectId(OBJECT_ID), "payment-17", 7, Int64(2**63 - 1), str(UNIQUE)])
def test_the_common_keys_take_no_space_on_the_wire(key: Any) -> None:
    """Their plain JSON is their name."""
    assert change(documentKey={"_id": key}).document_name == ""


@pytest.mark.parametrize("where", ["fullDocument", "documentKey", "updateDescription", "fullDocumentBeforeChange", "last"])
def test_a_field_called_document_key_is_not_the_documents_key(where: str) -> None:
    """Whoever stores change events, or means to deceive, has such fields in documents and keys, before and behind it."""
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


def test_a_key_as_deep_as_a_server_takes_it_has_a_name(mongo: Mongo, fresh: str) -> None:
    """200 levels, of documents or arrays; as a field that orders a stream as well."""
    lane_of = lanes(128, "_id")
    for wrap in (lambda inner: {"a": inner}, lambda inner: [inner]):
        key: Any = 1
        for _ in range(177):  # the event and its key are around it
            key = wrap(key)
        mongo[fresh].orders.insert_one({"_id": {"deep": key}})
        made = change(documentKey={"_id": {"deep": key}})
        assert made.document.startswith('a.b/{"deep":')
        assert 0 <= lane_of(made) < 128


@pytest.mark.parametrize("written", ["x", 7, MinKey(), [1]])
def test_a_pipeline_that_writes_the_key_is_refused(written: Any) -> None:
    """Nothing could tell one document from another, or the reader could not read it."""
    with pytest.raises(Misconfigured, match="TAILER_PIPELINE changes documentKey"):
        change(documentKey=written)


@pytest.mark.parametrize("field", ["ns", "ns.db", "ns.coll", "documentKey", "documentKey._id"])
def test_a_pipeline_that_takes_away_whose_change_it_is_is_refused(mongo: Mongo, fresh: str, field: str) -> None:
    """Else every document would have one name and one lane."""
    source = MongodbSource(mongo, Watch(database=fresh, pipeline=[{"$project": {field: 0}}]))
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 1})
    with (
        closing(source.batches(start)) as batches,
        pytest.raises(Misconfigured, match=f"TAILER_PIPELINE removes '{field.partition('.')[0]}'"),
    ):
        list(batches)  # its first change ends it


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
def test_a_replaced_document_keeps_its_name_and_its_lane(mongo: Mongo, fresh: str, key: Any, equal: Any) -> None:
    """A replace may write an equal _id of another type; every change before and after it is of the same document."""
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
