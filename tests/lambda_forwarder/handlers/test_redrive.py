"""Redrive as Lambda and people call it: the command on the emulator's queues, and the deployed function."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from lambda_forwarder import app
from lambda_forwarder.__main__ import main
from lambda_forwarder.errors import Misconfigured
from lambda_forwarder.handlers import redrive
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.parking.sqs import SqsParking
from tailrace.dev.aws import Aws
from tailrace.events import mapper_name
from tests.emf import lines
from tests.lambda_forwarder.handlers.test_sqs import Context
from tests.lambda_forwarder.parking.test_parkings import parked
from tests.lambda_forwarder.redriving.test_other_mappers import OURS, by_a_mapper, order_change, order_placed
from tests.lambda_forwarder.values import body, forever, inserted, sent_id
from tests.lambda_forwarder.values import redrive as command
from tests.lambda_forwarder.watermarks.test_watermarks import create_watermark_table

FIFO = {"FifoQueue": "true", "MessageRetentionPeriod": "1209600"}
MINE = OURS


class Account:
    """A bus with a queue, a parking queue and a dead-letter queue."""

    def __init__(self, aws: Aws) -> None:
        self.sqs, self.events, self.name = aws("sqs"), aws("events"), uuid4().hex
        self.parking = self._queue("parking.fifo", **FIFO)
        self.dead = self._queue("dead.fifo", **FIFO)
        self.heard_url = self._queue("heard")
        self.create_bus()

    def create_bus(self) -> None:
        arn = self.sqs.get_queue_attributes(QueueUrl=self.heard_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.events.create_event_bus(Name=self.name)
        self.events.put_rule(Name="all", EventBusName=self.name, EventPattern='{"source": ["app.payments"]}')
        self.events.put_targets(Rule="all", EventBusName=self.name, Targets=[{"Id": "queue", "Arn": arn}])

    def delete_bus(self) -> None:
        """Delete its rule first."""
        self.events.remove_targets(Rule="all", EventBusName=self.name, Ids=["queue"])
        self.events.delete_rule(Name="all", EventBusName=self.name)
        self.events.delete_event_bus(Name=self.name)

    def _queue(self, name: str, **attributes: str) -> str:
        return str(self.sqs.create_queue(QueueName=f"{self.name}-{name}", Attributes=attributes)["QueueUrl"])

    def add_dead_letter(self, text: str, group: str = "payments.17") -> None:
        self.sqs.send_message(QueueUrl=self.dead, MessageBody=text, MessageGroupId=group, MessageDeduplicationId=sent_id(text))

    def received_events(self) -> list[tuple[str, bool]]:
        """Return documents and whether they were late."""
        events = []
        while messages := self.sqs.receive_message(QueueUrl=self.heard_url, MaxNumberOfMessages=10).get("Messages"):
            events += [json.loads(message["Body"])["detail"]["metadata"] for message in messages]
        return [(metadata["document"][-1], metadata.get("late", False)) for metadata in events]

    def left(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(map(int, attributes.values()))


@pytest.fixture
def account(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Account]:
    monkeypatch.chdir(tmp_path)
    account = Account(aws)
    settings = {
        "FORWARDER_EVENT_BUS": account.name,
        "FORWARDER_PARKING_QUEUE_URL": account.parking,
        "FORWARDER_DEAD_LETTER_QUEUE_URL": account.dead,
        "FORWARDER_WATERMARKS": create_watermark_table(aws),
    }
    for key, value in (aws.environment | settings).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr("lambda_forwarder.redriving.sqs.WAIT_SECONDS", 0)
    for made in (app.forwarder, app.redriver):
        made.cache_clear()
    yield account
    for made in (app.forwarder, app.redriver):
        made.cache_clear()


def test_redrive_handler_publishes_both_queues_and_reports(aws: Aws, account: Account) -> None:
    """Poison remains with its reason."""
    SqsParking(aws("sqs"), account.parking).park([parked("a", 1), parked("b", 2, subscriptionId=7)], forever)
    account.add_dead_letter(body(inserted("c", 3), inserted("d", 4)))
    response = redrive.handler({"source": "aws.scheduler"}, Context())
    assert sorted(account.received_events()) == [("a", True), ("c", False), ("d", False)]
    assert {name: response[name] for name in ("messages", "published", "late", "parked", "left")} == {
        "messages": 3,
        "published": 3,
        "late": 1,
        "parked": 0,
        "left": 1,
    }
    [left] = response["leftovers"]
    assert (left["queue"], left["document"]) == ("parking", "payments.payments/b")
    assert "subscriptionId" in left["reason"]
    assert (account.left(account.parking), account.left(account.dead)) == (1, 0)
    again = redrive.handler({}, Context())  # It was returned, and is tried once in every run.
    assert (again["messages"], again["left"]) == (1, 1)


def test_event_below_its_watermark_is_late(account: Account) -> None:
    watermarks = app.forwarder().watermarks
    assert watermarks
    watermarks.advance("payments.17", Watermark(generation=1, sequence=9, cluster_time="1795334400.1"))
    account.add_dead_letter(body(inserted("c", 3)))
    assert redrive.handler({}, Context())["late"] == 1
    assert account.received_events() == [("c", True)]


def test_redrive_counts_events_without_a_latency(
    aws: Aws, account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They waited in a queue."""
    monkeypatch.setenv("FORWARDER_EMF_NAMESPACE", "Tailrace/trial")
    SqsParking(aws("sqs"), account.parking).park([parked("a", 1)], forever)
    redrive.handler({}, Context())
    assert [line.metrics for line in lines(capsys.readouterr().out, "payments")] == [{"EventsPublished": [1]}]


def test_redrive_command_prints_its_report(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """It exits with 0 if nothing remains, else with 1."""
    account.add_dead_letter(body(inserted("a", 1)))
    assert main(["redrive"]) == 0
    assert capsys.readouterr().out.startswith("messages 1, published 1, late 0")
    account.sqs.send_message(QueueUrl=account.parking, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="1")
    assert main(["redrive"]) == 1
    assert "left in parking: " in capsys.readouterr().out


def test_dry_run_prints_json_and_changes_nothing(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    account.add_dead_letter(body(inserted("a", 1)))
    assert main(["redrive", "--dry-run", "--json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (report["dryRun"], report["messages"], report["published"]) == (True, 1, 1)
    assert account.received_events() == []
    assert account.left(account.dead) == 1


def test_redrive_without_the_mappers_removes_nothing(
    aws: Aws, account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the command nor the scheduled function: an item remains until its own mappers read it."""
    SqsParking(aws("sqs"), account.parking).park([replace(by_a_mapper(), mappers=f"{__name__}:MINE")], forever)
    account.add_dead_letter(body(order_change(2, "p")))
    for arguments in (["redrive", "--dry-run"], ["redrive"]):
        assert main(arguments) == 1
        out = capsys.readouterr().out
        assert "published 0, late 0, deduplicated 0, parked 0, unpublished 0, left 2" in out
        assert f"parked by {mapper_name(order_placed)} of FORWARDER_MAPPERS={__name__}:MINE" in out
        assert out.count("no mapper of FORWARDER_MAPPERS=examples.payments.events:MAPPERS reads shop.orders") == 2
    assert redrive.handler({}, Context())["left"] == 2
    assert (account.left(account.parking), account.left(account.dead)) == (1, 1)
    monkeypatch.setenv("FORWARDER_MAPPERS", f"{__name__}:MINE")
    for made in (app.forwarder, app.redriver):
        made.cache_clear()
    assert main(["redrive"]) == 0
    assert (account.left(account.parking), account.left(account.dead)) == (0, 0)


def test_discarded_items_are_named(aws: Aws, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """In a dry run, which removes nothing, and in a run."""
    SqsParking(aws("sqs"), account.parking).park([by_a_mapper()], forever)
    for arguments, says, left in ((["--dry-run"], "would be removed", 1), ([], "removed", 0)):
        assert main(["redrive", "--discard-unmapped", *arguments]) == 0
        assert f"{says} from parking: shop.orders/o #1: discarded as requested: no mapper" in capsys.readouterr().out
        assert account.left(account.parking) == left


def test_redrive_reads_the_given_queues_up_to_the_limit(account: Account, aws: Aws) -> None:
    other = Account(aws)
    for number in range(3):
        other.add_dead_letter(body(inserted(str(number), number + 1)), group=f"payments.{number}")
    assert main(["redrive", "--parking", other.parking, "--dead-letters", other.dead, "--limit", "2"]) == 0
    assert len(account.received_events()) == 2
    assert other.left(other.dead) == 1


def test_dead_letter_queue_is_optional(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORWARDER_DEAD_LETTER_QUEUE_URL")
    account.add_dead_letter(body(inserted("a", 1)))
    assert redrive.handler({}, Context())["messages"] == 0


def test_missing_queues_are_reported_together(
    account: Account, aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The function fails, and the command exits with 2."""
    monkeypatch.setenv("FORWARDER_DEAD_LETTER_QUEUE_URL", f"{aws.endpoint_url}/000000000000/nowhere.fifo")
    with pytest.raises(Misconfigured, match=r"^FORWARDER_DEAD_LETTER_QUEUE_URL: "):
        redrive.handler({}, Context())
    assert main(["redrive"]) == 2
    assert "FORWARDER_DEAD_LETTER_QUEUE_URL" in capsys.readouterr().err
    assert main(["--mappers", "mine:MAPPERS", "redrive"]) == 2
    assert "FORWARDER_MAPPERS" in capsys.readouterr().err


@pytest.mark.parametrize(("code", "exits"), [("AccessDenied", 2), ("RequestThrottled", 1)])
def test_failing_queue_is_reported_in_one_line(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: str, exits: int
) -> None:
    """Messages of the other queue are returned, and nothing is lost."""
    account.sqs.send_message(QueueUrl=account.parking, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="1")
    through = app.redriver()
    denied: Any = through.queues[1].backlog

    def receive(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "not for you"}}, "ReceiveMessage")

    monkeypatch.setattr(denied, "_client", SimpleNamespace(receive_message=receive))
    assert command([], lambda **_: through) == exits
    out, err = capsys.readouterr()
    assert (out, "Traceback" in err) == ("", False)
    assert "ReceiveMessage" in err
    assert f"({code}: not for you)" in err
    assert account.left(account.parking) == 1
    assert account.sqs.receive_message(QueueUrl=account.parking)["Messages"]


def test_redrive_help_needs_no_settings() -> None:
    root = str(Path(__file__).parents[3])
    program = [sys.executable, "-m", "lambda_forwarder", "redrive", "--help"]
    done = subprocess.run(program, env={"PYTHONPATH": root}, capture_output=True, text=True)
    assert done.returncode == 0
    assert "--dead-letters" in done.stdout
