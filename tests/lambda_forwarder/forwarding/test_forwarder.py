"""The forwarder's loop: which changes are published, which are parked, and which messages must be received again."""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from examples.payments.events import MAPPERS
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryClaims, MemoryParking, MemoryPublisher, MemoryWatermarks
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import Published, TimeLeft
from tailrace.change import Change
from tests.lambda_forwarder.values import HOSTILE, body, cancelled, claiming, delivery, forever, gap, inserted


class FlakyPublisher(MemoryPublisher):
    """Raises the errors in ``down`` for events of these documents."""

    def __init__(self, **down: Exception) -> None:
        super().__init__()
        self.down = down

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        for entry in entries:
            if error := self.down.get(entry.document.rpartition("/")[2]):
                raise error
        return super().publish(entries, time_left)


class UnavailableParking:
    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
        raise Unavailable("the parking queue is away")


class UnavailableWatermarks:
    def read(self, lanes: Collection[str], time_left: TimeLeft) -> Mapping[str, Watermark]:
        raise Unavailable("the table is throttled")

    def advance(self, lane: str, to: Watermark) -> None:
        raise AssertionError("nothing was published")


def forwarder(**parts: Any) -> Forwarder:
    return Forwarder(**{"mappers": MAPPERS, "publisher": MemoryPublisher(), "parking": MemoryParking(), **parts})


def published_documents(publisher: MemoryPublisher) -> list[str]:
    return [entry.document.rpartition("/")[2] for entry in publisher.entries]


def test_changes_are_published_in_order() -> None:
    publisher = MemoryPublisher()
    failed = forwarder(publisher=publisher).forward([delivery(body(inserted("a"))), delivery(body(cancelled("a")))], forever)
    assert failed == []
    assert [entry.detail_type for entry in publisher.entries] == ["PaymentCreated", "PaymentCancelled"]


def test_failed_group_does_not_hold_back_others() -> None:
    """A failed record returns itself and the rest of its group."""
    publisher = FlakyPublisher(a=Unavailable("throttled"))
    records = [
        delivery(body(inserted("a")), group="payments.1", message_id="m1"),
        delivery(body(inserted("b")), group="payments.2", message_id="m2"),
        delivery(body(inserted("c")), group="payments.1", message_id="m3"),
        delivery(body(inserted("d")), group="payments.2", message_id="m4"),
    ]
    assert forwarder(publisher=publisher).forward(records, forever) == ["m1", "m3"]
    assert published_documents(publisher) == ["b", "d"]


def test_unknown_error_fails_only_its_message(caplog: pytest.LogCaptureFixture) -> None:
    """The log has the traceback."""
    publisher = FlakyPublisher(a=RuntimeError("boom"))
    records = [
        delivery(body(inserted("a")), group="payments.1", message_id="m1"),
        delivery(body(inserted("b")), group="payments.2"),
    ]
    assert forwarder(publisher=publisher).forward(records, forever) == ["m1"]
    assert published_documents(publisher) == ["b"]
    assert [line.exc_info is not None for line in caplog.records] == [True]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_foreign_message_is_parked_and_its_group_continues(text: str) -> None:
    """With the reason."""
    publisher, parking = MemoryPublisher(), MemoryParking()
    records = [delivery(text), delivery(body(inserted("a")))]
    assert forwarder(publisher=publisher, parking=parking).forward(records, forever) == []
    [parked] = parking.parked.values()
    assert parked.body == text
    assert parked.reason
    assert published_documents(publisher) == ["a"]


def test_change_that_fails_its_mapper_is_parked_with_the_reason() -> None:
    """The other changes of its message are published."""
    publisher, parking = MemoryPublisher(), MemoryParking()
    text = body(inserted("a"), inserted("b", subscriptionId=7), inserted("c"))
    assert forwarder(publisher=publisher, parking=parking).forward([delivery(text)], forever) == []
    assert published_documents(publisher) == ["a", "c"]
    [parked] = parking.parked.values()
    assert parked.document == "payments.payments/b"
    assert "subscriptionId" in parked.reason


def test_event_refused_by_the_bus_is_parked_with_the_reason() -> None:
    """The rest is published."""
    publisher, parking = MemoryPublisher(limit=500), MemoryParking()
    text = body(inserted("a", subscriptionId="x" * 500), inserted("b"))
    assert forwarder(publisher=publisher, parking=parking).forward([delivery(text)], forever) == []
    assert published_documents(publisher) == ["b"]
    [parked] = parking.parked.values()
    assert (parked.event, parked.document) == ("PaymentCreated", "payments.payments/a")
    assert "the limit is 500" in parked.reason


@pytest.mark.parametrize("text", ["not ours", body(inserted(subscriptionId=7))], ids=["body", "change"])
def test_message_that_cannot_be_parked_stays_in_the_queue(text: str) -> None:
    assert forwarder(parking=UnavailableParking()).forward([delivery(text, message_id="m1")], forever) == ["m1"]


def test_redelivered_message_parks_the_same_items() -> None:
    """Under the same ids."""
    parking = MemoryParking()
    again = delivery(body(inserted(subscriptionId=7), inserted(subscriptionId=8, sequence=2)))
    for _ in range(2):
        forwarder(parking=parking).forward([again, delivery("not ours")], forever)
    assert len(parking.parked) == 3


def test_remaining_records_are_returned_when_the_time_is_up() -> None:
    publisher = MemoryPublisher()
    left = iter([1.0, 1.0])  # one read by the loop, one by the publisher
    records = [delivery(body(inserted(name)), group=name, message_id=name) for name in "abcd"]
    failed = forwarder(publisher=publisher).forward(records, lambda: next(left, 0.0))
    assert published_documents(publisher) == ["a"]
    assert failed == ["b", "c", "d"]


def test_message_without_a_group_stands_alone() -> None:
    """As in a standard queue."""
    publisher = FlakyPublisher(a=Unavailable("throttled"))
    records = [delivery(body(inserted(name)), message_id=name, group=name) for name in "ab"]
    assert forwarder(publisher=publisher).forward(records, forever) == ["a"]


def test_batch_is_logged_as_one_line_of_numbers(caplog: pytest.LogCaptureFixture) -> None:
    """Without contents."""
    caplog.set_level(logging.INFO)
    text = body(inserted("secret", subscriptionId="secret"), inserted("secret", subscriptionId=7, sequence=2))
    forwarder().forward([delivery(text), delivery("secret")], forever)
    [line] = caplog.records
    counts = ("records", "changes", "duplicates", "events", "parked", "failed")
    assert line.__dict__["action"] == "batch_forwarded"
    assert [line.__dict__[count] for count in counts] == [2, 2, 0, 1, 2, 0]
    assert "secret" not in repr(line.__dict__)


def test_message_of_many_changes_is_one_publish() -> None:
    def documents(change: Change) -> None:
        seen.append(change.sequence)

    seen: list[int] = []
    changes = [inserted(str(number), number) for number in range(1, 501)]
    assert forwarder(mappers={"payments": (documents,)}).forward([delivery(body(*changes))], forever) == []
    assert seen == list(range(1, 501))


def test_duplicates_are_dropped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    """However old they are and however they were packed."""
    caplog.set_level(logging.INFO)
    publisher, watermarks = MemoryPublisher(), MemoryWatermarks()
    for records in (
        [delivery(body(inserted("a", 1), inserted("b", 2)))],
        [delivery(body(inserted("b", 2), inserted("c", 3))), delivery(body(inserted("c", 3), inserted("d", 4)))],
        [delivery(body(inserted("a", 1)))],
    ):
        assert forwarder(publisher=publisher, watermarks=watermarks).forward(records, forever) == []
    assert published_documents(publisher) == ["a", "b", "c", "d"]
    assert [line.__dict__["duplicates"] for line in caplog.records] == [0, 2, 1]


def test_repeat_without_watermarks_is_published_with_its_id() -> None:
    """Consumers drop it."""
    publisher = MemoryPublisher()
    for _ in range(2):
        forwarder(publisher=publisher).forward([delivery(body(inserted()))], forever)
    first, second = publisher.entries
    assert first.id == second.id


@pytest.mark.parametrize("sequence", [-1, 2**63, 2**64])
def test_message_with_an_impossible_sequence_is_parked(sequence: int) -> None:
    """The lane's watermark does not move."""
    parking, watermarks = MemoryParking(), MemoryWatermarks()
    text = body(inserted()).replace('"sequence":1', f'"sequence":{sequence}')
    assert forwarder(parking=parking, watermarks=watermarks).forward([delivery(text)], forever) == []
    assert [item.body for item in parking.parked.values()] == [text]
    assert watermarks.marks == {}


def test_parked_change_advances_the_watermark() -> None:
    """Sent again by hand, it is published nevertheless."""
    publisher, parking, watermarks = MemoryPublisher(), MemoryParking(), MemoryWatermarks()
    broken = {"payments": (lambda change: 1 / 0,)}
    forwarder(mappers=broken, parking=parking, watermarks=watermarks).forward([delivery(body(inserted()))], forever)
    assert watermarks.marks["payments.17"].sequence == 1
    [item] = parking.parked.values()
    again = delivery(bytes(item.message).decode(), sent=item.id)
    assert forwarder(publisher=publisher, watermarks=watermarks).forward([again], forever) == []
    assert published_documents(publisher) == [inserted().document_key["_id"]]


def test_nothing_is_published_without_a_response_from_the_table() -> None:
    """The message waits. A foreign message is parked nevertheless."""
    publisher, parking = MemoryPublisher(), MemoryParking()
    records = [delivery("not ours"), delivery(body(inserted()), message_id="m1"), delivery(body(cancelled()), message_id="m2")]
    failed = forwarder(publisher=publisher, parking=parking, watermarks=UnavailableWatermarks()).forward(records, forever)
    assert failed == ["m1", "m2"]
    assert publisher.entries == []
    assert len(parking.parked) == 1


def test_claimed_change_is_published_in_order() -> None:
    publisher = MemoryPublisher()
    claimed, content = claiming(inserted("b", 2))
    records = [delivery(body(inserted("a", 1), claimed, inserted("c", 3)))]
    claims = MemoryClaims(objects={"payments/1.json": content})
    assert forwarder(publisher=publisher, claims=claims).forward(records, forever) == []
    assert published_documents(publisher) == ["a", "b", "c"]


def test_too_large_event_of_a_claimed_change_is_parked_with_the_claim() -> None:
    parking = MemoryParking()
    claimed, content = claiming(inserted("a", subscriptionId="x" * 600))
    parts = {"publisher": MemoryPublisher(limit=500), "claims": MemoryClaims(objects={"payments/1.json": content})}
    assert forwarder(parking=parking, **parts).forward([delivery(body(claimed))], forever) == []
    [item] = parking.parked.values()
    assert "the limit is 500" in item.reason
    assert '"claim"' in bytes(item.message).decode()
    assert "xxx" not in bytes(item.message).decode()


def test_change_with_an_invalid_claim_is_parked_and_the_rest_is_published() -> None:
    publisher, parking, watermarks = MemoryPublisher(), MemoryParking(), MemoryWatermarks()
    claimed, _ = claiming(inserted("b", 2))
    parts = {"publisher": publisher, "parking": parking, "watermarks": watermarks, "claims": MemoryClaims()}
    assert forwarder(**parts).forward([delivery(body(inserted("a", 1), claimed, inserted("c", 3)))], forever) == []
    assert published_documents(publisher) == ["a", "c"]
    assert [item.sequence for item in parking.parked.values()] == [2]
    assert watermarks.marks["payments.17"].sequence == 3


def test_claimed_change_without_a_bucket_setting_waits(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the setting."""
    assert forwarder().forward([delivery(body(claiming(inserted())[0]), message_id="m1")], forever) == ["m1"]
    assert "FORWARDER_CLAIM_BUCKET" in caplog.text


def test_gap_is_published_without_a_mapper() -> None:
    """Once, like any change."""
    publisher, watermarks = MemoryPublisher(), MemoryWatermarks()
    for _ in range(2):
        forwarder(mappers={}, publisher=publisher, watermarks=watermarks).forward([delivery(body(gap()))], forever)
    assert [entry.detail_type for entry in publisher.entries] == ["StreamGapDetected"]
