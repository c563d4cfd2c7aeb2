"""Strict order, and poison that blocks its message group."""

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.payments.events import MAPPERS
from examples.payments.events.payments import payment_created
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryParking, MemoryPublisher, MemoryWatermarks
from lambda_forwarder.publishing.strict_order import in_strict_order, runs
from tests.lambda_forwarder.values import body, delivery, forever, inserted, noted, noted_entries


def blocking_forwarder(publisher: MemoryPublisher, **parts: Any) -> Forwarder:
    parts = {"mappers": MAPPERS, "parking": MemoryParking(), **parts}
    return Forwarder(publisher=publisher, block=True, **parts)


def published_sequences(publisher: MemoryPublisher) -> list[int]:
    return [entry.change.sequence for entry in publisher.entries]


@given(st.lists(st.sampled_from("abc"), max_size=12))
def test_runs_keep_the_order_with_each_document_once(documents: list[str]) -> None:
    entries = noted_entries(*documents)
    cut = list(runs(entries))
    assert [entry for run in cut for entry in run] == list(entries)
    assert all(len({entry.document for entry in run}) == len(run) > 0 for run in cut)


def test_events_of_a_document_after_a_refused_one_are_refused() -> None:
    publisher = MemoryPublisher(limit=1_000)
    entries = [noted("a", 1), noted("a", 2, text="x" * 1_000), noted("b", 3), noted("a", 4), noted("c", 5)]
    refused = in_strict_order(publisher, entries, forever).refused
    assert published_sequences(publisher) == [1, 3]
    assert [no.entry.change.sequence for no in refused] == [2, 4, 5]
    assert "earlier" in refused[1].reason


def test_poison_change_blocks_its_group(caplog: pytest.LogCaptureFixture) -> None:
    """Changes before it are published once, those after it not at all. Other groups continue, and nothing is parked."""
    publisher, parking, watermarks = MemoryPublisher(), MemoryParking(), MemoryWatermarks()
    forwarder = blocking_forwarder(publisher, parking=parking, watermarks=watermarks)
    poison = inserted("secret", 2, subscriptionId=7)
    records = [
        delivery(body(inserted("a", 1), poison, inserted("c", 3)), message_id="m1"),
        delivery(body(inserted("d", 4)), message_id="m2"),
        delivery(body(inserted("e", 5), lane=18), group="payments.18", message_id="m3"),
    ]
    for _ in range(3):
        assert forwarder.forward(records[:2], forever) == ["m1", "m2"]
    assert forwarder.forward(records, forever) == ["m1", "m2"]
    assert published_sequences(publisher) == [1, 5]
    assert parking.parked == {}
    assert watermarks.marks["payments.17"].sequence == 1
    assert "change 2 of payments.payments/secret" in caplog.text
    assert "FORWARDER_ON_POISON" in caplog.text


def test_blocked_group_continues_after_the_fix() -> None:
    """Each event of the message is published once."""
    publisher, watermarks = MemoryPublisher(), MemoryWatermarks()
    broken = {"payments": (lambda change: payment_created(change) if change.sequence != 2 else 1 / 0,)}
    records = [delivery(body(inserted("a", 1), inserted("b", 2), inserted("a", 3)))]
    assert blocking_forwarder(publisher, watermarks=watermarks, mappers=broken).forward(records, forever) != []
    assert blocking_forwarder(publisher, watermarks=watermarks).forward(records, forever) == []
    assert published_sequences(publisher) == [1, 2, 3]


@pytest.mark.parametrize("text", ["not ours", body(inserted(), generation=-1)], ids=["foreign", "miscounted"])
def test_unreadable_message_blocks_its_group(text: str) -> None:
    """A newer tailer may have written it."""
    parking = MemoryParking()
    forwarder = blocking_forwarder(MemoryPublisher(), parking=parking)
    assert forwarder.forward([delivery(text, message_id="m1")], forever) == ["m1"]
    assert parking.parked == {}


def test_refused_event_blocks_its_group(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the event and none of its contents."""
    caplog.set_level(logging.INFO)
    publisher = MemoryPublisher(limit=500)
    text = body(inserted("a", 1), inserted("a", 2, subscriptionId="s" * 500), inserted("a", 3))
    assert blocking_forwarder(publisher).forward([delivery(text, message_id="m1")], forever) == ["m1"]
    assert published_sequences(publisher) == [1]
    assert "PaymentCreated" in caplog.text
    assert "sss" not in caplog.text
