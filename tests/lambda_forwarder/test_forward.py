"""The loop: what is published, what is parked, what the queue must deliver again."""

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from contract.change import Change
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.event import Entry
from lambda_forwarder.forward import Forwarder
from lambda_forwarder.mappings import MAPPERS
from lambda_forwarder.memory import MemoryParking, MemoryPublisher
from lambda_forwarder.parked import Parked
from lambda_forwarder.ports import Refused, TimeLeft
from tests.lambda_forwarder.values import body, cancelled, forever, inserted, record


class Flaky(MemoryPublisher):
    """Cannot publish events of the documents in ``down``; raises what it holds for them."""

    def __init__(self, **down: Exception) -> None:
        super().__init__()
        self.down = down

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Sequence[Refused]:
        for entry in entries:
            if error := self.down.get(entry.document.rpartition("/")[2]):
                raise error
        return super().publish(entries, time_left)


class NoParking:
    def park(self, parked: Sequence[Parked]) -> None:
        raise Unavailable("the parking queue is away")


def forwarder(**parts: Any) -> Forwarder:
    return Forwarder(**{"mappers": MAPPERS, "publisher": MemoryPublisher(), "parking": MemoryParking(), **parts})


def published(publisher: MemoryPublisher) -> list[str]:
    return [entry.document.rpartition("/")[2] for entry in publisher.entries]


def test_what_happened_is_published_in_order() -> None:
    """Every change of every message becomes its event; nothing has to come again."""
    publisher = MemoryPublisher()
    failed = forwarder(publisher=publisher).forward([record(body(inserted("a"))), record(body(cancelled("a")))], forever)
    assert failed == []
    assert [entry.detail_type for entry in publisher.entries] == ["PaymentCreated", "PaymentCancelled"]


def test_a_failed_group_does_not_hold_back_others() -> None:
    """A record that fails returns itself and the rest of its group, and nothing else."""
    publisher = Flaky(a=Unavailable("throttled"))
    records = [
        record(body(inserted("a")), group="payments.1", message_id="m1"),
        record(body(inserted("b")), group="payments.2", message_id="m2"),
        record(body(inserted("c")), group="payments.1", message_id="m3"),
        record(body(inserted("d")), group="payments.2", message_id="m4"),
    ]
    assert forwarder(publisher=publisher).forward(records, forever) == ["m1", "m3"]
    assert published(publisher) == ["b", "d"]


def test_an_error_that_nobody_foresaw_fails_its_message_only(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever an adapter raises, the other groups go on, and the log has the traceback."""
    publisher = Flaky(a=RuntimeError("boom"))
    records = [
        record(body(inserted("a")), group="payments.1", message_id="m1"),
        record(body(inserted("b")), group="payments.2"),
    ]
    assert forwarder(publisher=publisher).forward(records, forever) == ["m1"]
    assert published(publisher) == ["b"]
    assert [line.exc_info is not None for line in caplog.records] == [True]


@pytest.mark.parametrize(
    "text",
    ["", "hello", "{}", '{"version": 99}', '{"version": 1, "stream": "x"}', "[" * 100_000, "\ud800", '"\x00'],
    ids=lambda text: ascii(text[:12]),
)
def test_a_message_that_is_not_ours_is_parked_and_its_group_goes_on(text: str) -> None:
    """Foreign, broken or newer bodies are set aside as they came, with the reason."""
    publisher, parking = MemoryPublisher(), MemoryParking()
    records = [record(text), record(body(inserted("a")))]
    assert forwarder(publisher=publisher, parking=parking).forward(records, forever) == []
    [parked] = parking.parked.values()
    assert parked.body == text
    assert parked.reason
    assert published(publisher) == ["a"]


def test_a_change_that_a_mapper_cannot_digest_is_parked_with_its_reason() -> None:
    """The other changes of its message, before and after, are published."""
    publisher, parking = MemoryPublisher(), MemoryParking()
    text = body(inserted("a"), inserted("b", subscriptionId=7), inserted("c"))
    assert forwarder(publisher=publisher, parking=parking).forward([record(text)], forever) == []
    assert published(publisher) == ["a", "c"]
    [parked] = parking.parked.values()
    assert parked.document == "payments.payments/b"
    assert "subscriptionId" in parked.reason


def test_an_event_that_the_bus_refuses_is_parked_with_its_reason() -> None:
    """Refused for good: parked with the event's name and the bus's words, the rest is published."""
    publisher, parking = MemoryPublisher(limit=500), MemoryParking()
    text = body(inserted("a", subscriptionId="x" * 500), inserted("b"))
    assert forwarder(publisher=publisher, parking=parking).forward([record(text)], forever) == []
    assert published(publisher) == ["b"]
    [parked] = parking.parked.values()
    assert (parked.event, parked.document) == ("PaymentCreated", "payments.payments/a")
    assert "the limit is 500" in parked.reason


@pytest.mark.parametrize("text", ["not ours", body(inserted(subscriptionId=7))], ids=["body", "change"])
def test_what_cannot_be_parked_now_stays_in_the_queue(text: str) -> None:
    """When parking fails the message fails: it comes again, and nothing is lost."""
    assert forwarder(parking=NoParking()).forward([record(text, message_id="m1")], forever) == ["m1"]


def test_a_repeat_parks_the_same_once() -> None:
    """A message delivered again parks under the same ids."""
    parking = MemoryParking()
    again = record(body(inserted(subscriptionId=7), inserted(subscriptionId=8, sequence=2)))
    for _ in range(2):
        forwarder(parking=parking).forward([again, record("not ours")], forever)
    assert len(parking.parked) == 3


def test_it_stops_in_good_time() -> None:
    """When the time is up the remaining records are returned untouched, whatever their group."""
    publisher = MemoryPublisher()
    left = iter([1.0, 1.0])  # asked by the loop and by the publisher
    records = [record(body(inserted(name)), group=name, message_id=name) for name in "abcd"]
    failed = forwarder(publisher=publisher).forward(records, lambda: next(left, 0.0))
    assert published(publisher) == ["a"]
    assert failed == ["b", "c", "d"]


def test_a_queue_without_groups_is_served_message_by_message() -> None:
    """A standard queue has no group: each message stands for itself."""
    publisher = Flaky(a=Unavailable("throttled"))
    records = [record(body(inserted(name)), message_id=name) for name in "ab"]
    for one in records:
        del one["attributes"]["MessageGroupId"]
    assert forwarder(publisher=publisher).forward(records, forever) == ["a"]


def test_a_batch_is_one_line_of_numbers(caplog: pytest.LogCaptureFixture) -> None:
    """The log tells how much was done, never what was in it."""
    caplog.set_level(logging.INFO)
    text = body(inserted("secret", subscriptionId="secret"), inserted("secret", subscriptionId=7, sequence=2))
    forwarder().forward([record(text), record("secret")], forever)
    [line] = caplog.records
    told = {key: line.__dict__[key] for key in ("action", "records", "changes", "events", "parked", "failed")}
    assert told == {"action": "batch_forwarded", "records": 2, "changes": 2, "events": 1, "parked": 2, "failed": 0}
    assert "secret" not in repr(line.__dict__)


def test_a_message_of_many_changes_is_one_publish() -> None:
    """Five hundred changes go to the publisher at once; how they are cut into calls is its own affair."""

    def documents(change: Change) -> None:
        seen.append(change.sequence)

    seen: list[int] = []
    changes = [inserted(str(number), number) for number in range(1, 501)]
    assert forwarder(mappers={"payments": (documents,)}).forward([record(body(*changes))], forever) == []
    assert seen == list(range(1, 501))
