"""Strict order, and poison that blocks."""

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryParking, MemoryPublisher, MemoryWatermarks
from lambda_forwarder.mappings import MAPPERS
from lambda_forwarder.mappings.payments import payment_created
from lambda_forwarder.publishing.strict_order import StrictOrderPublisher, runs
from tests.lambda_forwarder.values import body, delivery, forever, inserted, noted, noteds


def blocking(publisher: MemoryPublisher, **parts: Any) -> Forwarder:
    parts = {"mappers": MAPPERS, "parking": MemoryParking(), **parts}
    return Forwarder(publisher=StrictOrderPublisher(publisher), block=True, **parts)


def published(publisher: MemoryPublisher) -> list[int]:
    return [entry.change.sequence for entry in publisher.entries]


@given(st.lists(st.sampled_from("abc"), max_size=12))
def test_runs_keep_the_order_and_have_each_document_once(documents: list[str]) -> None:
    """Joined they are what came; none has a document twice."""
    entries = noteds(*documents)
    cut = list(runs(entries))
    assert [entry for run in cut for entry in run] == list(entries)
    assert all(len({entry.document for entry in run}) == len(run) > 0 for run in cut)


def test_behind_a_refused_event_nothing_of_its_document_is_published() -> None:
    """It comes back refused as well, with what is behind it."""
    publisher = MemoryPublisher(limit=1_000)
    entries = [noted("a", 1), noted("a", 2, text="x" * 1_000), noted("b", 3), noted("a", 4), noted("c", 5)]
    refused = StrictOrderPublisher(publisher).publish(entries, forever).refused
    assert published(publisher) == [1, 3]
    assert [no.entry.change.sequence for no in refused] == [2, 4, 5]
    assert "earlier" in refused[1].reason


def test_a_poison_change_holds_its_group_back(caplog: pytest.LogCaptureFixture) -> None:
    """What is before it is published once, itself and what is behind it never; other groups go on; nothing is parked."""
    publisher, parking, watermarks = MemoryPublisher(), MemoryParking(), MemoryWatermarks()
    forwarder = blocking(publisher, parking=parking, watermarks=watermarks)
    poison = inserted("secret", 2, subscriptionId=7)
    records = [
        delivery(body(inserted("a", 1), poison, inserted("c", 3)), message_id="m1"),
        delivery(body(inserted("d", 4)), message_id="m2"),
        delivery(body(inserted("e", 5), lane=18), group="payments.18", message_id="m3"),
    ]
    for _ in range(3):
        assert forwarder.forward(records[:2], forever) == ["m1", "m2"]
    assert forwarder.forward(records, forever) == ["m1", "m2"]
    assert published(publisher) == [1, 5]
    assert parking.parked == {}
    assert watermarks.marks["payments.17"].sequence == 1
    assert "change 2 of payments.payments/secret" in caplog.text
    assert "FORWARDER_ON_POISON" in caplog.text


def test_once_mended_the_group_goes_on_where_it_stood() -> None:
    """Every event of the message, each once."""
    publisher, watermarks = MemoryPublisher(), MemoryWatermarks()
    broken = {"payments": (lambda change: payment_created(change) if change.sequence != 2 else 1 / 0,)}
    records = [delivery(body(inserted("a", 1), inserted("b", 2), inserted("a", 3)))]
    assert blocking(publisher, watermarks=watermarks, mappers=broken).forward(records, forever) != []
    assert blocking(publisher, watermarks=watermarks).forward(records, forever) == []
    assert published(publisher) == [1, 2, 3]


@pytest.mark.parametrize("text", ["not ours", body(inserted(), generation=-1)], ids=["foreign", "miscounted"])
def test_what_is_not_readable_blocks_too(text: str) -> None:
    """It may be one of ours, from a newer tailer."""
    parking = MemoryParking()
    forwarder = blocking(MemoryPublisher(), parking=parking)
    assert forwarder.forward([delivery(text, message_id="m1")], forever) == ["m1"]
    assert parking.parked == {}


def test_an_event_that_the_bus_refuses_blocks(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the event and never what is in it."""
    caplog.set_level(logging.INFO)
    publisher = MemoryPublisher(limit=500)
    text = body(inserted("a", 1), inserted("a", 2, subscriptionId="s" * 500), inserted("a", 3))
    assert blocking(publisher).forward([delivery(text, message_id="m1")], forever) == ["m1"]
    assert published(publisher) == [1]
    assert "PaymentCreated" in caplog.text
    assert "sss" not in caplog.text
