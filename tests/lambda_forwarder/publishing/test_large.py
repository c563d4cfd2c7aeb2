"""Events too large for the bus carry a claim for their data."""

import hashlib

import pytest
from msgspec import json

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.in_memory import MemoryClaims
from lambda_forwarder.ports import Published
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.publishing.limits import CALL_LIMIT, fitting, key, size
from tailrace.wire.change import Claim
from tests.lambda_forwarder.values import KeepingBus, forever, noted

LARGE = "x" * CALL_LIMIT


def test_large_data_is_stored_and_claimed() -> None:
    """The stored data has the size and hash of the claim."""
    bus, claims = KeepingBus(), MemoryClaims()
    entry = noted("a", 1, text=LARGE)
    assert EventBridgePublisher(bus, claims).publish([entry], forever) == Published()
    [event] = bus.entries
    detail = json.decode(event.detail)
    claim = json.decode(json.encode(detail.pop("claim")), type=Claim)
    content = claims.fetch(claim, forever)
    assert json.decode(content) == {"text": LARGE, "number": 0}
    assert (claim.bytes, claim.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert detail == {"metadata": json.decode(entry.detail)["metadata"]}
    assert event.id == entry.id


def test_event_below_the_limit_is_published_whole() -> None:
    """One byte more, and it has a claim."""
    claims = MemoryClaims()
    room = CALL_LIMIT - size(noted("a", 1))
    entries = [noted("a", 1, text="x" * (room - 1)), noted("b", 2, text="x" * room), noted("c", 3)]
    assert [b'"claim":' in fitting(entry, claims, forever).detail for entry in entries] == [False, True, False]
    assert len(claims.objects) == 1


def test_repeated_event_has_the_same_claim() -> None:
    """Other data has another key, so no stored object is ever replaced."""
    claims = MemoryClaims()
    first, second = (fitting(noted("a", 1, text=LARGE), claims, forever) for _ in range(2))
    assert first == second
    assert len(claims.objects) == 1
    assert key(noted("a", 1), b"1") != key(noted("a", 1), b"2")


def test_nothing_is_stored_when_the_time_is_up() -> None:
    """The message is received again."""
    bus, claims = KeepingBus(), MemoryClaims()
    with pytest.raises(Unavailable):
        EventBridgePublisher(bus, claims).publish([noted("a", 1, text=LARGE)], lambda: 0.0)
    assert (bus.entries, claims.objects) == ([], {})
