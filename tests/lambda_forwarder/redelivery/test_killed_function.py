"""A mapper that ends the process, in the deployed function with its queue."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from devstack import DevStack
from devstack.stack import COLLECTION
from tailrace.change import Change
from tailrace.dev.function import FUNCTION
from tailrace.wire.message import group_id
from tests.eventually import eventually
from tests.lambda_forwarder.values import body, inserted, sent_id

SECONDS = 60.0
MAPPERS = f'''
import os
from events.payments import payment_created

def deadly(change):
    """Ends the process where the document says so."""
    if (change.full_document or {{}}).get("deadly"):
        os._exit(1)
    return payment_created(change)

MAPPERS = {{"{COLLECTION}": (deadly,)}}
'''


@pytest.fixture
def deployed(services: None) -> Iterator[DevStack]:
    """The function with that mapper. Messages that ended it become visible within seconds."""
    with DevStack() as stack:
        package = stack.workspace.folder / "forwarder.zip"
        _edited(package)
        client = stack.aws("lambda")
        settings = client.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
        client.update_function_code(FunctionName=FUNCTION, ZipFile=package.read_bytes())
        variables = settings | {"FORWARDER_MAPPERS": "deadly_mappers:MAPPERS"}
        client.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": variables})
        queue = stack.resources.queue_url
        stack.aws("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
        yield stack


def _edited(package: Path) -> None:
    with ZipFile(package) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    loop = files["lambda_forwarder/redelivery/returned_messages.py"].decode()
    assert loop.count("SUSPECT_SECONDS = 15.0") == 1
    files["lambda_forwarder/redelivery/returned_messages.py"] = loop.replace(
        "SUSPECT_SECONDS = 15.0", "SUSPECT_SECONDS = 0.0"
    ).encode()
    files["deadly_mappers.py"] = MAPPERS.encode()
    with ZipFile(package, "w") as archive:
        for entry, content in files.items():
            archive.writestr(entry, content)


def send(stack: DevStack, *changes: Change, lane: int) -> None:
    text = body(*changes, lane=lane)
    stack.aws("sqs").send_message(
        QueueUrl=stack.resources.queue_url,
        MessageBody=text,
        MessageGroupId=group_id("payments", lane),
        MessageDeduplicationId=sent_id(text),
    )


def waiting(stack: DevStack, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = stack.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, found.values()))


def test_change_that_ends_the_function_is_parked(deployed: DevStack) -> None:
    """Unread. Every other change of its message, its lane and the other lane arrives in order."""
    send(deployed, inserted("a", 1), inserted("b", 2, deadly=True), inserted("c", 3), inserted("a2", 4), lane=17)
    send(deployed, inserted("d", 5), lane=17)
    send(deployed, inserted("e", 6), inserted("f", 7), lane=18)
    assert eventually(lambda: waiting(deployed, deployed.resources.queue_url) == 0)
    events = deployed.consumer().receive_count(6, SECONDS)
    sequences = [event.metadata.sequence for event in events]
    assert [one for one in sequences if one < 6] == [1, 3, 4, 5]
    assert [one for one in sequences if one > 5] == [6, 7]
    [parked] = deployed.aws("sqs").receive_message(QueueUrl=deployed.resources.parking_url)["Messages"]
    assert '"sequence":2' in parked["Body"]
    assert "the function ended 3 times" in parked["Body"]
    assert waiting(deployed, deployed.resources.dead_letters_url) == 0
