"""A classic bus that is deleted under a warm function, on the emulator: as on AWS, PutEvents keeps returning 200."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from examples.payments.events import MAPPERS
from lambda_forwarder import app
from lambda_forwarder.aws import clients
from lambda_forwarder.dynamodb.stream_forwarder import TOGETHER, StreamForwarder
from lambda_forwarder.errors import BusGone
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.handlers import dynamodb as dynamodb_handler
from lambda_forwarder.handlers import redrive as redrive_handler
from lambda_forwarder.handlers import sqs as sqs_handler
from lambda_forwarder.in_memory import MemoryBacklog, MemoryParking, MemoryPublisher, MemoryWatermarks
from lambda_forwarder.metrics.metrics import Metrics
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.parking.sqs import SqsParking
from lambda_forwarder.ports import Published, TimeLeft
from lambda_forwarder.redriving.queues import dead_letter_queue
from lambda_forwarder.redriving.redriver import Redriver
from lambda_forwarder.settings import Settings, StreamSettings, read_settings
from tailrace.dev.aws import Aws
from tests.lambda_forwarder.handlers import test_dynamodb as dynamodb
from tests.lambda_forwarder.handlers.test_redrive import Account
from tests.lambda_forwarder.handlers.test_sqs import Context
from tests.lambda_forwarder.parking.test_parkings import parked
from tests.lambda_forwarder.values import body, delivery, forever, inserted, record, redrive, streamed
from tests.lambda_forwarder.watermarks.test_watermarks import create_watermark_table

ALL_TAKEN: dict[str, list[str]] = {"batchItemFailures": []}
OF_A_TABLE = {"orders": [dynamodb.counted]}


class BusFixture:
    """An account, and a clock."""

    def __init__(self, aws: Aws) -> None:
        self.now = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
        self.account = Account(aws)
        self._sequences = count(1)

    def batch(self, *documents: str) -> list[dict[str, Any]]:
        """Return a message for each document, each in its own group."""
        changes = [inserted(name, next(self._sequences)) for name in documents]
        return [record(body(one, lane=one.sequence), group=f"payments.{one.sequence}") for one in changes]

    def forward(self, records: list[dict[str, Any]], after: float = 0) -> object:
        """Forward the records this many seconds later."""
        self.now += timedelta(seconds=after)
        return sqs_handler.handler({"Records": records}, Context(), lambda: self.forwarder)

    @cached_property
    def forwarder(self) -> Forwarder:
        """The forwarder of the environment, with this clock."""
        return self.build()

    def build(self, kind: type[Settings] = Settings, **parts: Any) -> Forwarder:
        return app.build_forwarder(read_settings(kind), now=lambda: self.now, **parts)


class DisappearingBus(MemoryPublisher):
    """A bus that is missing after the first call."""

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        if self.entries:
            raise BusGone("there is no bus")
        return super().publish(entries, time_left)


@pytest.fixture
def world(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> BusFixture:
    monkeypatch.chdir(tmp_path)
    world = BusFixture(aws)
    settings = {
        "FORWARDER_EVENT_BUS": world.account.name,
        "FORWARDER_PARKING_QUEUE_URL": world.account.parking,
        "FORWARDER_DEAD_LETTER_QUEUE_URL": world.account.dead,
        "FORWARDER_WATERMARKS": create_watermark_table(aws),
    }
    for key, value in (aws.environment | settings).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr("lambda_forwarder.redriving.sqs.WAIT_SECONDS", 0)
    return world


def test_function_fails_as_a_whole_and_says_since_when(world: BusFixture) -> None:
    """
    Events of the last minute were dropped. It accepts nothing until the bus exists again, and then everything that is
    redelivered.
    """
    assert world.forward(world.batch("a")) == ALL_TAKEN
    world.account.delete_bus()
    assert world.forward(world.batch("b"), after=59) == ALL_TAKEN
    waiting = world.batch("c", "d")
    for _ in range(2):
        with pytest.raises(BusGone, match=r"since 2026-11-22T14:00:00Z .*rewind --to 2026-11-22T06:58:00Z$"):
            world.forward(waiting, after=1)
    world.account.create_bus()
    assert world.forward(waiting) == ALL_TAKEN
    assert [name for name, _ in world.account.received_events()] == ["a", "c", "d"]
    assert world.account.left(world.account.parking) == 0


def test_no_message_of_the_batch_is_acknowledged() -> None:
    """No watermark moves."""
    publisher, watermarks = DisappearingBus(), MemoryWatermarks()
    forwarder = Forwarder(mappers=MAPPERS, publisher=publisher, parking=MemoryParking(), watermarks=watermarks)
    lanes = range(17, 20)
    records = [delivery(body(inserted("a", 1), lane=lane), group=f"payments.{lane}", message_id=str(lane)) for lane in lanes]
    with pytest.raises(BusGone):
        forwarder.forward(records, forever)
    assert list(watermarks.marks) == ["payments.17"]


def test_no_record_of_the_batch_is_done() -> None:
    """Although earlier ones were published. All of them count as failed."""
    metrics = Metrics()
    forwarder = Forwarder(mappers=OF_A_TABLE, publisher=DisappearingBus(), parking=MemoryParking(), metrics=metrics)
    records = [dynamodb.record(number) for number in range(1, TOGETHER + 3)]
    with pytest.raises(BusGone):
        streamed(StreamForwarder(forwarder=forwarder), records, forever)
    assert metrics.take()["dynamodb.orders"]["MessagesFailed"] == (len(records),)


def test_redriven_messages_taken_together_stay_in_their_queue() -> None:
    """Published ones may have been dropped. All of them can be taken again at once."""
    waiting = [Delivery(id=name, group=name, body=body(inserted(name, 1), lane=ord(name)), receipt="") for name in "abc"]
    dead = MemoryBacklog(waiting=list(waiting))
    forwarder = Forwarder(mappers=MAPPERS, publisher=DisappearingBus(), parking=MemoryParking())
    with pytest.raises(BusGone):
        Redriver(forwarder=forwarder, queues=[dead_letter_queue(dead)]).redrive(forever)
    assert (len(dead.waiting), dead.held) == (3, {})


def test_redrive_leaves_everything_without_a_bus(aws: Aws, world: BusFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """The function fails, and the command exits with 2. Once the bus exists everything is published."""
    redriver = app.build_redriver(read_settings(), world.forwarder)
    SqsParking(aws("sqs"), world.account.parking).park([parked("a", 1)], forever)
    world.account.add_dead_letter(body(inserted("b", 2)))
    world.account.delete_bus()
    world.now += timedelta(minutes=15)
    with pytest.raises(BusGone, match="no event that was acknowledged here"):
        redrive_handler.handler({}, Context(), lambda: redriver)
    assert redrive([], lambda **_: redriver) == 2
    assert "does not exist" in capsys.readouterr().err
    assert (world.account.left(world.account.parking), world.account.left(world.account.dead)) == (1, 1)
    world.account.create_bus()
    assert redrive_handler.handler({}, Context(), lambda: redriver)["published"] == 2
    assert sorted(name for name, _ in world.account.received_events()) == ["a", "b"]


def test_records_of_a_table_are_retried(world: BusFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDER_MAPPERS", f"{__name__}:OF_A_TABLE")
    event = {"Records": [dynamodb.record(1), dynamodb.record(2)]}
    stream = StreamForwarder(forwarder=world.build(StreamSettings))
    assert dynamodb_handler.handler(event, Context(), lambda: stream) == ALL_TAKEN
    world.account.delete_bus()
    world.now += timedelta(minutes=1)
    with pytest.raises(BusGone, match="does not exist"):
        dynamodb_handler.handler(event, Context(), lambda: stream)


def test_bus_check_is_the_only_extra_call(world: BusFixture) -> None:
    """Once a minute."""
    calls: list[str] = []

    def listened(service: str) -> Any:
        client = clients.client(service)
        client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
        return client

    world.forwarder = world.build(client=listened)
    world.forward(world.batch("a"))
    asked = []
    for _ in range(13):
        calls.clear()
        assert world.forward(world.batch("b", "c"), after=10) == ALL_TAKEN
        asked.append(calls.count("DescribeEventBus"))
        rest = sorted(call for call in calls if call != "DescribeEventBus")
        assert rest == ["BatchGetItem", "PutEvents", "PutEvents", "UpdateItem", "UpdateItem"]
    assert asked == [0, 0, 0, 0, 0, 1] * 2 + [0]
