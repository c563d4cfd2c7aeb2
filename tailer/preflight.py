"""What must hold before a tailer touches anything, and the remedy where it does not."""

from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient

from tailer.aws.errors import aws_errors
from tailer.errors import Misconfigured
from tailer.mongodb.connection.errors import WATCHED, mongodb_errors
from tailer.mongodb.connection.uri import encrypted, of_documentdb, unverified
from tailer.mongodb.presence import presence
from tailer.mongodb.watch import Watch
from tailrace.aws.queues import too_small

PARALLEL = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
"""What lets the lanes of a FIFO queue go in parallel."""


def check_replica_set(client: "MongoClient[Any]") -> Mapping[str, Any]:
    """
    What the server says of itself.

    Raises:
        Misconfigured: change streams are impossible here.
        Unavailable: nobody answers.
    """
    with mongodb_errors():
        hello: Mapping[str, Any] = client.admin.command("hello")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":  # isdbgrid: a router of a sharded cluster
        raise Misconfigured(
            "TAILER_MONGODB_URI is a standalone server, and change streams need a replica set: start it with "
            "mongod --replSet rs0 and run rs.initiate() once"
        )
    return hello


def check_names(client: "MongoClient[Any]", watch: Watch) -> list[str]:
    """
    What is not there yet, or could not be looked for, one sentence each.

    Raises:
        Misconfigured: nothing could ever arrive from what is watched.
        Unavailable: nobody answers.
    """
    found = presence(client, watch)
    if found.impossible:
        raise Misconfigured("; ".join(found.impossible))
    return [*found.absent, *found.unseen]


def advice_on_tls(uri: str, setting: str = WATCHED) -> list[str]:
    """What would be better said otherwise in the URI that the setting is, one sentence each. Nothing is asked of anybody."""
    if of_documentdb(uri) and not encrypted(uri):
        off = "credentials and documents cross the network unencrypted; remove tls=false"
        return [f"{setting} switches TLS off: {off}"]
    if not (said := unverified(uri)):
        return []
    what = "the host name in the server's certificate" if said == ["tlsAllowInvalidHostnames"] else "the server's certificate"
    risk = "an attacker on the network can read and change credentials and documents"
    options = " and ".join(f"{name}=true" for name in said)
    remedy = f"remove {options}, and set tlsCAFile to the file of the certificate authority"
    return [f"{setting} has {options}: {what} is not verified, so {risk}; {remedy}"]


def check_queue(client: Any, queue_url: str) -> list[str]:
    """
    What would be better set otherwise, one sentence each.

    Raises:
        Misconfigured: the queue does not exist, is not FIFO, or may not be looked at.
        Unavailable: nobody answers.
    """
    with aws_errors("TAILER_QUEUE_URL", queue_url):
        attributes = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    if not fifo(attributes):
        raise Misconfigured(f"TAILER_QUEUE_URL: {queue_url} is not a FIFO queue, and only FIFO keeps changes in order")
    if problem := too_small(attributes):
        raise Misconfigured(f"TAILER_QUEUE_URL: {queue_url} {problem}")
    return [
        f"TAILER_QUEUE_URL: {queue_url} has {name}={found}: lanes are not sent in parallel; set {name}={PARALLEL[name]}"
        for name, found in not_parallel(attributes).items()
    ]


def fifo(attributes: Mapping[str, str]) -> bool:
    """Whether a queue keeps order."""
    return attributes.get("FifoQueue") == "true"


def not_parallel(attributes: Mapping[str, str]) -> dict[str, str]:
    """The attributes that keep the lanes of a FIFO queue from going in parallel, as they are."""
    return {name: attributes.get(name, "unset") for name, value in PARALLEL.items() if attributes.get(name) != value}
