"""A document whose ``_id`` is replaced by an equal value of another type stays one document, from the database to the bus."""

from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.config import Config
from bson import Decimal128, Int64
from pymongo import MongoClient

from devstack.ordered_bus import SERVICE, OrderedBusServer
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryParking, MemoryWatermarks
from lambda_forwarder.publishing.buses import OrderedBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from tailer.aws.lanes import lanes
from tailer.aws.packing import Packer
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailrace.events import DomainEvent
from tailrace.message import unpack
from tailrace.wire.change import Change
from tests.lambda_forwarder.values import delivery, forever


class OrderTouched(DomainEvent, source="app.tests"):
    """An order was written."""

    operation: str


def map_order(change: Change) -> OrderTouched:
    return OrderTouched(operation=change.operation_type)


@pytest.mark.parametrize(
    ("key", "equal"),
    [(7, 7.0), (7.5, Decimal128("7.50")), ({"n": Int64(7), "of": ["a"]}, {"n": 7.0, "of": ["a"]})],
    ids=["number", "fraction", "embedded document"],
)
def test_document_with_a_replaced_id_keeps_name_lane_and_group(
    mongo: "MongoClient[dict[str, Any]]", fresh: str, key: Any, equal: Any
) -> None:
    """And its watermark. Its events are in the order of the database."""
    source = MongodbSource(mongo, Watch(database=fresh))
    start = source.first()
    mongo[fresh].orders.insert_one({"_id": key})
    mongo[fresh].orders.replace_one({"_id": key}, {"_id": equal, "n": 1})
    mongo[fresh].orders.delete_one({"_id": key})
    changes: list[Change] = []
    with closing(source.batches(start)) as batches:
        while len(changes) < 3:
            changes += next(batches).changes

    lane_of, packer = lanes(128, "document"), Packer(stream="orders", generation=1)
    bodies = [message.body for change in changes for message in packer.messages(lane_of(change), [change])]
    assert len({unpack(body).lane for body in bodies}) == 1

    watermarks = MemoryWatermarks()
    with OrderedBusServer() as server:
        session = boto3.session.Session("test", "test", region_name="eu-west-1")
        client = session.client(SERVICE, endpoint_url=server.endpoint_url, config=Config(proxies={}))
        arn = client.create_event_bus(Name="orders")["EventBusArn"]
        forwarder = Forwarder(
            mappers={f"{fresh}.orders": [map_order]},
            publisher=EventBridgePublisher(OrderedBus(client, arn)),
            parking=MemoryParking(),
            watermarks=watermarks,
        )
        records = [delivery(body, group=f"orders.{unpack(body).lane}") for body in bodies]
        assert forwarder.forward(records, forever) == []
        assert forwarder.forward(records, forever) == []  # Every change is a repeat.
        entries = [entry for call in server.calls for entry in call]
        told = [event.detail for event in server.events.of(arn)]
        client.close()
    assert [detail["data"]["operation"] for detail in told] == ["insert", "replace", "delete"]
    assert len({detail["metadata"]["document"] for detail in told}) == 1
    assert len(entries) == 3
    assert len({entry["SystemMetadata"]["EventGroupId"] for entry in entries}) == 1
    assert len(watermarks.marks) == 1
