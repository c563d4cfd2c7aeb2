"""Real services as a deployment configures them, until a test breaks one of them."""

import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.cli.command_line import command_line
from tailer.parts import Parts
from tailer.settings.settings import Settings as StreamSettings
from tailer.settings.settings import load
from tailrace.dev.aws import arn, role
from tests.tailer.parts import closed_clients

Settings = dict[str, str]
KEPT = {"FifoQueue": "true", "MessageRetentionPeriod": "1209600"}  # for a queue that keeps messages that could not be published


@dataclass(frozen=True, kw_only=True)
class Report:
    """The doctor's report: its exit code and its findings, in order and by name."""

    code: int
    told: list[dict[str, str]]

    @property
    def findings(self) -> dict[str, dict[str, str]]:
        return {finding["name"]: finding for finding in self.told}

    def __getitem__(self, name: str) -> tuple[str, str]:
        """Return the state and the text of one finding."""
        finding = self.findings[name]
        return finding["state"], f"{finding['found']} → {finding['remedy']}"

    @property
    def failed(self) -> set[str]:
        return {name for name, finding in self.findings.items() if finding["state"] == "FAIL"}


Doctor = Callable[..., Report]


@pytest.fixture
def parking_url(stack: DevStack, fresh: str) -> str:
    url: str = stack.aws("sqs").create_queue(QueueName=f"{fresh}-parking.fifo", Attributes=KEPT)["QueueUrl"]
    return url


@pytest.fixture
def dead_letters_url(stack: DevStack, fresh: str) -> str:
    url: str = stack.aws("sqs").create_queue(QueueName=f"{fresh}-dlq.fifo", Attributes=KEPT)["QueueUrl"]
    return url


@pytest.fixture
def queue_url(stack: DevStack, fresh: str, dead_letters_url: str) -> str:
    """
    As in production: high throughput, encrypted, with dead letters, and six times the function's timeout as visibility timeout.
    """
    attributes = {
        "FifoQueue": "true",
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "18",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn("sqs", f"{fresh}-dlq.fifo"), "maxReceiveCount": 1000}),
    }
    url: str = stack.aws("sqs").create_queue(QueueName=f"{fresh}.fifo", Attributes=attributes)["QueueUrl"]
    return url


@pytest.fixture
def function(stack: DevStack, fresh: str, parking_url: str) -> str:
    """A function with the forwarder's settings."""
    variables = {
        "FORWARDER_EVENT_BUS": stack.resources.bus,
        "FORWARDER_PARKING_QUEUE_URL": parking_url,
        "FORWARDER_WATERMARKS": stack.resources.table,
        "FORWARDER_STREAMS": fresh,
        "FORWARDER_CLAIM_BUCKET": stack.resources.claim_bucket,
    }
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as file:
        file.writestr("stand_in.py", "def handler(event, context):\n    return {}\n")
    client = stack.aws("lambda")
    client.create_function(
        FunctionName=fresh,
        Runtime="python3.13",
        Role=role(fresh),
        Handler="stand_in.handler",
        Code={"ZipFile": package.getvalue()},
        Timeout=3,
        Environment={"Variables": variables},
    )
    client.get_waiter("function_active_v2").wait(FunctionName=fresh, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
    return fresh


@pytest.fixture
def mapping(stack: DevStack, fresh: str, queue_url: str, function: str) -> Iterator[str]:
    """The event source mapping from the queue to the function; returns its id."""
    client = stack.aws("lambda")
    responses = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
    made = client.create_event_source_mapping(FunctionName=function, EventSourceArn=arn("sqs", f"{fresh}.fifo"), **responses)
    yield made["UUID"]
    client.delete_event_source_mapping(UUID=made["UUID"])


@pytest.fixture
def settings(
    stack: DevStack, fresh: str, queue_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_reads: None
) -> Settings:
    """A tailer's environment. The doctor reads what a test changes here."""
    monkeypatch.chdir(tmp_path)
    stack.mongo[fresh].create_collection("payments")
    return stack.environment_of(fresh, queue_url=queue_url, lease_seconds=1, http_port=0)


@pytest.fixture
def make_parts() -> Iterator[Callable[[StreamSettings], Parts]]:
    """Makes the parts of a stream, with clients that end with the test."""
    with closed_clients() as made:
        yield made


@pytest.fixture
def doctor(
    settings: Settings,
    make_parts: Callable[[StreamSettings], Parts],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Doctor:
    """Run ``tailer doctor --json`` with the current settings; given settings stay for the next run."""

    def look(**given: str) -> Report:
        settings.update(given)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        code = command_line(["doctor", "--json"], threading.Event(), make_parts)
        told = json.loads(capsys.readouterr().out)
        assert told["exitCode"] == code
        return Report(code=code, told=told["findings"])

    return look


@pytest.fixture
def documentdb(stack: DevStack) -> Iterator[DocumentdbDialect]:
    with DocumentdbDialect(stack.mongod.ports[0]) as dialect:
        yield dialect


@pytest.fixture
def stored(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The settings as the product reads them."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    [one] = load()
    return one
