"""What a builder makes is what the product makes of the same write: to mongod, through DocumentDB's dialect, to a table."""

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest
from boto3.dynamodb.types import TypeSerializer
from bson import Binary, Decimal128, Int64, ObjectId
from msgspec.structs import asdict
from pymongo import MongoClient
from pymongo.errors import WriteError

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from lambda_forwarder.handlers.dynamodb_records import read
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.resume_tokens import token_time
from tailrace.change import Change
from tailrace.message import read_change
from tailrace.testing import ChangeStream, documentdb, dynamodb, mongodb
from tailrace.wire.message import encode_change
from tests.tailrace.random_updates import document, path_in

WRITTEN = datetime(2026, 11, 22, 7, 1, 30, 456_000, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "_id": ObjectId("65f2a1c09b1e8a5d4c3b2a19"),
    "status": "placed",
    "total": Decimal128("12.50"),
    "count": Int64(7),
    "weight": 1.5,
    "nan": float("nan"),
    "at": WRITTEN,
    "blob": b"\x00\xff",
    "uuid": Binary.from_uuid(UUID(int=7)),
    "nothing": None,
    "address": {"city": "Ghent", "zip": 9000},
    "items": [{"price": 1}, {"price": 2}],
}
UPDATES: list[tuple[dict[str, Any], list[str]]] = [
    ({"status": "paid"}, []),
    ({"status": "paid", "count": Int64(7), "weight": 1.5}, []),  # two fields keep their values
    ({"count": 7.0}, []),  # another type
    ({"address.city": "Bruges"}, ["address.zip"]),
    ({"address": {"zip": 9000, "city": "Ghent"}}, []),  # another order
    ({"customer.name.first": "Ada", "customer.name.last": "L", "customer.age": 36}, []),  # creates objects
    ({"items.1.price": 5}, []),
    ({"items.2": {"price": 3}}, []),
    ({"items.4.price": 3}, []),  # fills a gap
    ({"items.10": 1, "items.9": 2}, []),
    ({"items": []}, ["total", "missing", "address.missing"]),
    ({}, ["items.0"]),  # becomes null
    ({"total": Decimal128("12.5"), "at": datetime(2027, 1, 1, tzinfo=UTC), "status": None}, []),
]
KEYS: list[Any] = [
    "o-1",
    7,
    "7",
    7.5,
    {"tenant": "t1", "n": 7},
    "ü/?",
    ObjectId("65f2a1c09b1e8a5d4c3b2a19"),
    Binary.from_uuid(UUID(int=7)),
]
ONLY_UPDATES = [{"$match": {"operationType": "update"}}]
IDS = {"id", "sequence", "cluster_time", "wall_time"}


def sent(client: "MongoClient[Any]", watch: Watch) -> Iterator[Change]:
    """The changes after this call as the tailer sends them and the forwarder reads them, each when it is asked for."""
    source = MongodbSource(client, watch)
    start = source.first()

    def changes() -> Iterator[Change]:
        with closing(source.batches(start)) as batches:
            for batch in batches:
                for change in batch.changes:
                    yield read_change(encode_change(change))

    return changes()


@pytest.fixture
def orders(stack: DevStack, fresh: str) -> Any:
    """A collection with pre- and post-images, whether a stream asks for them or not."""
    database = stack.mongo[fresh]
    return database.create_collection("orders", changeStreamPreAndPostImages={"enabled": True})


@pytest.fixture
def dialect(stack: DevStack) -> Iterator["MongoClient[Any]"]:
    with DocumentdbDialect(stack.mongod.ports[0]) as server, MongoClient[Any](server.uri) as client:
        server.enabled = {("", "")}
        yield client


def written(orders: Any, build: ChangeStream) -> Iterator[Change]:
    """Make one write after the other. Yield the change that is built for each."""
    key = {"_id": DOCUMENT["_id"]}
    orders.insert_one(DOCUMENT)
    yield build.insert(DOCUMENT)
    before = DOCUMENT
    for fields, removed in UPDATES:
        operators = {"$set": fields, "$unset": dict.fromkeys(removed, "")}
        orders.update_one(key, {name: value for name, value in operators.items() if value})
        yield build.update(DOCUMENT, fields, removed)
        before = orders.find_one(key)
        orders.replace_one(key, DOCUMENT)
        yield build.replace(before, DOCUMENT)
    orders.delete_one(key)
    yield build.delete(DOCUMENT)
    for identifier in KEYS:
        orders.insert_one({"_id": identifier})
        yield build.insert({"_id": identifier})


def check_same(real: Change, built: Change) -> None:
    """Field by field; a time and an id in the same form."""
    one, other = asdict(real), asdict(built)
    for field in one.keys() - IDS:
        assert one[field] == other[field], (field, built.operation_type)
    assert (real.document, list(one)) == (built.document, list(other))
    for change in (real, built):
        assert re.fullmatch(r"[0-9]{10}\.[0-9]{1,4}", change.cluster_time)
        assert token_time(change.id) == change.cluster_time
    assert (real.wall_time is None) == (built.wall_time is None)
    if real.wall_time and built.wall_time:
        assert (len(real.wall_time), real.wall_time[-1]) == (len(built.wall_time), built.wall_time[-1]) == (24, "Z")


MODES: list[dict[str, Any]] = [
    {},
    {"full_document": "default"},
    {"full_document_before_change": "required"},
    {"full_document_before_change": "whenAvailable"},
    {"full_document": "whenAvailable", "full_document_before_change": "whenAvailable"},
]


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_mongodb_builds_what_the_tailer_sends(stack: DevStack, orders: Any, mode: dict[str, Any]) -> None:
    """For every operation, kind of value and option of the stream."""
    changes = sent(
        stack.mongo, Watch(database=orders.database.name, collections=("orders",), **({"full_document": "updateLookup"} | mode))
    )
    for built in written(orders, mongodb(f"{orders.database.name}.orders", **mode)):
        check_same(next(changes), built)


def test_documentdb_builds_what_the_tailer_sends(dialect: "MongoClient[Any]", orders: Any) -> None:
    """Without images, and with times in whole seconds."""
    changes = sent(dialect, Watch(database=orders.database.name, collections=("orders",)))
    for built in written(orders, documentdb(f"{orders.database.name}.orders")):
        check_same(next(changes), built)
        assert built.wall_time is None
        assert built.full_document_before_change is None


def test_lookup_shows_a_later_state(stack: DevStack, orders: Any) -> None:
    """Or nothing: the document changed again, or was deleted, before the server looked it up."""
    changes = sent(stack.mongo, Watch(database=orders.database.name, collections=("orders",)))
    build = mongodb(f"{orders.database.name}.orders")
    key, first, later = {"_id": 1}, {"_id": 1, "n": 1}, {"_id": 1, "n": 3}
    orders.insert_one(first)
    check_same(next(changes), build.insert(first))
    for number in (2, 3):
        orders.update_one(key, {"$set": {"n": number}})
    check_same(next(changes), build.update(first, {"n": 2}, looked_up=later))
    check_same(next(changes), build.update({"_id": 1, "n": 2}, {"n": 3}))
    orders.update_one(key, {"$set": {"n": 4}})
    orders.delete_one(key)
    check_same(next(changes), build.update(later, {"n": 4}, looked_up=None))


def test_random_updates_are_described_as_the_server_describes_them(stack: DevStack, orders: Any) -> None:
    """What the server refuses, and what changes nothing, is refused."""
    random, name = Random(14), orders.database.name
    changes = sent(stack.mongo, Watch(database=name, collections=("orders",), pipeline=ONLY_UPDATES))
    build, counts = mongodb(f"{name}.orders"), Counter[str]()
    for number in range(300):
        before = document(random, number)
        fields = {
            path_in(random, before): random.choice([0, 1.5, None, "x", {"a": 1}, [1]]) for _ in range(random.randrange(3))
        }
        removed = [path_in(random, before) for _ in range(random.randrange(3))]
        orders.insert_one(before)
        operators = {"$set": fields, "$unset": dict.fromkeys(removed, "")}
        wanted = {operator: value for operator, value in operators.items() if value}
        try:
            described = bool(wanted) and orders.update_one({"_id": number}, wanted).modified_count == 1
        except WriteError:
            described = False
        counts[f"{described}"] += 1
        if described:
            check_same(next(changes), build.update(before, fields, removed))
        else:
            with pytest.raises(ValueError, match="the server"):
                build.update(before, fields, removed)
    assert min(counts["True"], counts["False"]) > 30, counts


ITEM: dict[str, Any] = {
    "orderId": "o-1",
    "total": Decimal("12.50"),
    "count": 7,
    "large": 2**63,
    "weight": 0.1,
    "paid": False,
    "nothing": None,
    "blob": b"\x00\xff",
    "address": {"city": "Ghent", "lines": ["a", 1]},
    "tags": {"b", "a"},
    "sizes": {10, 9},
}


def test_dynamodb_builds_what_the_forwarder_reads(stack: DevStack, fresh: str) -> None:
    """From the records of a table's stream."""
    aws = stack.aws("dynamodb")
    made = aws.create_table(
        TableName=fresh,
        AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    build, key, serialize = dynamodb(fresh, "orderId"), {"orderId": {"S": "o-1"}}, TypeSerializer().serialize
    whole = ITEM | {"weight": Decimal("0.1")}
    aws.put_item(TableName=fresh, Item={name: serialize(value) for name, value in whole.items()})
    aws.update_item(
        TableName=fresh,
        Key=key,
        UpdateExpression="SET address.city = :city, paid = :paid REMOVE nothing, #blob",
        ExpressionAttributeNames={"#blob": "blob"},
        ExpressionAttributeValues={":city": {"S": "Bruges"}, ":paid": {"BOOL": True}},
    )
    aws.put_item(TableName=fresh, Item=key | {"count": {"N": "8"}})
    aws.delete_item(TableName=fresh, Key=key)
    built = [
        build.insert(ITEM),
        build.update(ITEM, {"address.city": "Bruges", "paid": True}, ["nothing", "blob"]),
    ]
    updated = ITEM | {"address": {"city": "Bruges", "lines": ["a", 1]}, "paid": True}
    del updated["nothing"], updated["blob"]
    built += [build.replace(updated, {"count": 8}), build.delete({"orderId": "o-1", "count": 8})]
    records = stream_records(stack, made["TableDescription"]["LatestStreamArn"])
    real = [read(record, 0.0).changes[0] for record in records]
    assert len(real) == len(built)
    for one, other in zip(real, built, strict=True):
        for field in one.__struct_fields__:
            if field not in IDS:
                assert getattr(one, field) == getattr(other, field), (field, other.operation_type)
        assert one.wall_time is None or other.wall_time is None
        assert one.document == other.document


def stream_records(stack: DevStack, arn: str) -> list[dict[str, Any]]:
    """The records of a stream as a Lambda function receives them."""
    streams = stack.aws("dynamodbstreams")
    [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return [json.loads(json.dumps(record | {"eventSourceARN": arn}, default=as_json)) for record in records]


def as_json(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value.timestamp()
