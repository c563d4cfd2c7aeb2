"""The MongoDB store, on a real replica set, and its logic on mongomock."""

from typing import Any

import mongomock
import pytest
from pymongo import MongoClient

from tailer.checkpoints.mongodb import DATABASE, MongodbCheckpoints
from tailer.model import Record
from tailer.ports import Conflict
from tests.conformance.checkpoint_store import CHECKPOINT, CheckpointStoreConformance


class TestMongodbCheckpoints(CheckpointStoreConformance):
    @pytest.fixture
    def store(self, mongo: "MongoClient[dict[str, Any]]") -> MongodbCheckpoints:
        mongo.drop_database(DATABASE)
        return MongodbCheckpoints(mongo)


def test_a_record_is_a_document_that_people_can_read() -> None:
    """One document per stream, its fields by their names."""
    client: Any = mongomock.MongoClient()
    MongodbCheckpoints(client).write(Record(stream="payments", version=1, checkpoint=CHECKPOINT))
    [document] = client[DATABASE].checkpoints.find()
    assert document["_id"] == "payments"
    assert document["checkpoint"]["sequence"] == 4711


def test_a_stale_version_replaces_nothing() -> None:
    """The condition is part of the write, not a read before it."""
    client: Any = mongomock.MongoClient()
    store = MongodbCheckpoints(client)
    store.write(Record(stream="payments", version=1))
    with pytest.raises(Conflict):
        store.write(Record(stream="payments", version=3, owner="late"))
    assert store.read("payments") == Record(stream="payments", version=1)
