"""The stack's parts are real, on this machine only, and configured as in an account."""

import json
import socket
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import ZipFile

import pytest

from devstack import DevStack
from devstack.resources import BUS, SOURCE, VISIBILITY_SECONDS, provision
from tailrace.dev.aws import arn
from tailrace.dev.function import FUNCTION, REDRIVE
from tests.arrivals import detail

# Publishes each message's body, but reports a body with ``fail`` as failed the first time.
HANDLER = """
import json, os, boto3
events, seen = boto3.client("events"), set()

def handler(event, context):
    failed = []
    for record in event["Records"]:
        detail = json.loads(record["body"])
        if failed or (detail["data"].get("fail") and record["messageId"] not in seen):
            seen.add(record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        entry = {"EventBusName": os.environ["FORWARDER_EVENT_BUS"], "Source": os.environ["FORWARDER_SOURCE"]}
        events.put_events(Entries=[entry | {"DetailType": "Test", "Detail": record["body"]}])
    return {"batchItemFailures": failed}
"""


def send(stack: DevStack, *, group: str, sequence: int, **data: object) -> str:
    identifier = str(uuid.uuid4())
    body = detail(identifier, group, sequence, data)
    stack.aws("sqs").send_message(
        QueueUrl=stack.resources.queue_url, MessageGroupId=group, MessageDeduplicationId=identifier, MessageBody=body
    )
    return identifier


def test_database_has_change_streams(bare_stack: DevStack) -> None:
    collection = bare_stack.mongo["streams"]["things"]
    with collection.watch() as stream:
        collection.insert_one({"_id": 1})
        assert next(stream)["fullDocument"] == {"_id": 1}
        assert stream.resume_token


def test_ports_listen_on_this_machine_only(bare_stack: DevStack) -> None:
    ports = [bare_stack.mongo.address[1] if bare_stack.mongo.address else 0, urlsplit(bare_stack.aws.endpoint_url).port or 0]
    outward = _outward_address()
    for port in ports:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            pass
        if outward:
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((outward, port), timeout=2)


def test_queue_is_ordered_and_deduplicates_per_group(bare_stack: DevStack) -> None:
    """High-throughput FIFO with a FIFO dead-letter queue."""
    attributes = bare_stack.aws("sqs").get_queue_attributes(QueueUrl=bare_stack.resources.queue_url, AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["FifoQueue"] == "true"
    assert attributes["DeduplicationScope"] == "messageGroup"
    assert attributes["FifoThroughputLimit"] == "perMessageGroupId"
    assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].endswith("-dlq.fifo")


def test_provisioning_again_changes_nothing(bare_stack: DevStack) -> None:
    assert provision(bare_stack.aws) == bare_stack.resources


def test_event_passes_two_buses(bare_stack: DevStack) -> None:
    """An event arrives in the other team's queue through their own bus. Foreign events do not."""
    identifier = str(uuid.uuid4())
    entry = {"EventBusName": BUS, "DetailType": "PaymentCancelled", "Detail": detail(identifier, "d", 1, {"n": 1})}
    response = bare_stack.aws("events").put_events(Entries=[entry | {"Source": "app.other"}, entry | {"Source": SOURCE}])
    assert response["FailedEntryCount"] == 0
    consumer = bare_stack.consumer()
    (event,) = consumer.receive_count(1, seconds=10)
    assert (event.name, event.source, event.id, event.data) == ("PaymentCancelled", SOURCE, identifier, {"n": 1})
    assert consumer.receive(wait=0) == []


@pytest.fixture
def forwarding(bare_stack: DevStack, tmp_path: Path) -> Iterator[DevStack]:
    """The stack with a small function of this test for the queue, which is removed afterwards."""
    package = tmp_path / "function.zip"
    with ZipFile(package, "w") as archive:
        archive.writestr("lambda_forwarder/__init__.py", "")
        archive.writestr("lambda_forwarder/handlers/sqs.py", HANDLER)
    provision(bare_stack.aws, package)
    provision(bare_stack.aws, package)  # The second time replaces the code and adds no second mapping.
    queue = {"QueueUrl": bare_stack.resources.queue_url}
    bare_stack.aws("sqs").set_queue_attributes(
        **queue, Attributes={"VisibilityTimeout": "1"}
    )  # A failed message becomes visible soon.
    yield bare_stack
    bare_stack.aws("sqs").set_queue_attributes(**queue, Attributes={"VisibilityTimeout": str(VISIBILITY_SECONDS)})
    functions = bare_stack.aws("lambda")
    (mapping,) = functions.list_event_source_mappings(EventSourceArn=arn("sqs", "tailrace-changes.fifo"))["EventSourceMappings"]
    functions.delete_event_source_mapping(UUID=mapping["UUID"])
    for function in (FUNCTION, REDRIVE):
        functions.delete_function(FunctionName=function)


def test_message_reaches_the_consumer_through_the_function(forwarding: DevStack) -> None:
    """A failed message is redelivered in order."""
    sent = [send(forwarding, group="a", sequence=1), send(forwarding, group="a", sequence=2, fail=True)]
    sent += [send(forwarding, group="a", sequence=3)]
    received = forwarding.consumer().receive_count(3, seconds=30)
    assert [event.id for event in received] == sent


@pytest.mark.usefixtures("services")
def test_three_members_elect_a_primary() -> None:
    """And stop together."""
    with DevStack(forwarder=False, members=3) as stack:
        members = [child.pid for child in stack.workspace.children]
        assert len(stack.mongo.admin.command("replSetGetStatus")["members"]) == 3
        assert stack.mongo["any"]["thing"].insert_one({"_id": 1}).acknowledged
    assert _running(members) == ""


@pytest.mark.usefixtures("services")
def test_stack_leaves_nothing() -> None:
    """No process, folder or port."""
    with DevStack(forwarder=False) as stack:
        pids = [child.pid for child in stack.workspace.children]
        port = urlsplit(stack.aws.endpoint_url).port or 0
    assert _running(pids) == ""
    assert not stack.workspace.folder.exists()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=2)


def _running(pids: list[int]) -> str:
    listed = subprocess.run(["ps", "-o", "pid=", "-p", ",".join(map(str, pids))], capture_output=True, text=True, check=False)
    return listed.stdout.strip()


def _outward_address() -> str | None:
    """Return this machine's own network address, if it has one. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])
