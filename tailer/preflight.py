"""What must hold before a tailer touches anything, and the remedy where it does not."""

from typing import Any

from pymongo import MongoClient

from contract.message import MESSAGE_LIMIT
from tailer.aws_errors import aws_errors
from tailer.errors import Misconfigured
from tailer.mongodb_errors import mongodb_errors

_ADVISED = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}


def check_replica_set(client: "MongoClient[Any]") -> None:
    """
    Raises:
        Misconfigured: change streams are impossible here.
        Unavailable: nobody answers.
    """
    with mongodb_errors():
        hello = client.admin.command("hello")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":  # isdbgrid: a router of a sharded cluster
        raise Misconfigured(
            "TAILER_MONGODB_URI is a standalone server, and change streams need a replica set: start it with "
            "mongod --replSet rs0 and run rs.initiate() once"
        )


def check_queue(client: Any, queue_url: str) -> list[str]:
    """
    What would be better set otherwise, one sentence each.

    Raises:
        Misconfigured: the queue does not exist, is not FIFO, or may not be looked at.
        Unavailable: nobody answers.
    """
    with aws_errors("TAILER_QUEUE_URL", queue_url):
        attributes = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    if attributes.get("FifoQueue") != "true":
        raise Misconfigured(f"TAILER_QUEUE_URL: {queue_url} is not a FIFO queue, and only FIFO keeps changes in order")
    limit = int(attributes.get("MaximumMessageSize", MESSAGE_LIMIT))
    if limit < MESSAGE_LIMIT:
        raise Misconfigured(
            f"TAILER_QUEUE_URL: {queue_url} takes messages of {limit} bytes only: set its MaximumMessageSize to {MESSAGE_LIMIT}"
        )
    return [
        f"TAILER_QUEUE_URL: {queue_url} has {name}={attributes.get(name, 'unset')}; {value} lets lanes go in parallel"
        for name, value in _ADVISED.items()
        if attributes.get(name) != value
    ]
