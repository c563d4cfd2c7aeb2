"""Events too large for the bus carry a claim for their data."""

import hashlib

import pytest
from msgspec import json

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.in_memory import MemoryClaims, MemoryPublisher
from lambda_forwarder.ports import Published
from lambda_forwarder.publishing.large import LargePublisher, key
from lambda_forwarder.publishing.limits import CALL_LIMIT, size
from tailrace.wire.change import Claim
from tests.lambda_forwarder.values import forever, noted

LARGE = "x" * CALL_LIMIT


def test_large_data_is_stored_and_claimed() -> None:
    """The stored data has the size and hash of the claim."""
    publisher, claims = MemoryPublisher(), MemoryClaims()
    entry = noted("a", 1, text=LARGE)
    assert LargePublisher(publisher, claims).publish([entry], forever) == Published()
    [event] = publisher.entries
    detail = json.decode(event.detail)
    claim = json.decode(json.encode(detail.pop("claim")), type=Claim)
    content = claims.fetch(claim, forever)
    assert json.decode(content) == {"text": LARGE, "number": 0}
    assert (claim.bytes, claim.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert detail == {"metadata": json.decode(entry.detail)["metadata"]}
    assert event.id == entry.id


def test_event_below_the_limit_is_published_whole() -> None:
    """In order among the others."""
    publisher, claims = MemoryPublisher(), MemoryClaims()
    room = CALL_LIMIT - size(noted("a", 1))
    entries = [noted("a", 1, text="x" * (room - 1)), noted("b", 2, text="x" * room), noted("c", 3)]
    LargePublisher(publisher, claims).publish(entries, forever)
    assert [entry.document for entry in publisher.entries] == [entry.document for entry in entries]
    assert [b'"claim":' in entry.detail for entry in publisher.entries] == [False, True, False]
    assert len(claims.objects) == 1


def test_repeated_event_has_the_same_claim() -> None:
    """Other data has another key, so no stored object is ever replaced."""
    publisher, claims = MemoryPublisher(), MemoryClaims()
    for _ in range(2):
        LargePublisher(publisher, claims).publish([noted("a", 1, text=LARGE)], forever)
    assert publisher.entries[0] == publisher.entries[1]
    assert len(claims.objects) == 1
    assert key(noted("a", 1), b"1") != key(noted("a", 1), b"2")


def test_nothing_is_stored_when_the_time_is_up() -> None:
    """The message is received again."""
    claims = MemoryClaims()
    with pytest.raises(Unavailable):
        LargePublisher(MemoryPublisher(), claims).publish([noted("a", 1, text=LARGE)], lambda: 0.0)
    assert claims.objects == {}
