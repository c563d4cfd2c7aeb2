"""The changes of a live collection, tried with the mappers."""

from itertools import islice
from typing import Any

from pymongo import MongoClient

from devstack.changes import bodies
from examples.payments.events import MAPPERS
from lambda_forwarder.trial import read, tried
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch


def test_live_changes_can_be_tried(mongo: "MongoClient[dict[str, Any]]", fresh: str) -> None:
    """Each change after the start is a message body."""
    coming = bodies(MongodbSource(mongo, Watch(database=fresh)), fresh)
    mongo[fresh].payments.insert_one({"_id": "p1", "subscriptionId": "s1", "status": "created"})
    mongo[fresh].payments.update_one({"_id": "p1"}, {"$set": {"status": "cancelled"}})
    text = "\n".join(islice(coming, 2))
    trials = [trial for message in read(text) for trial in tried(message, MAPPERS)]
    assert [entry.detail_type for trial in trials for entry in trial.entries] == ["PaymentCreated", "PaymentCancelled"]
