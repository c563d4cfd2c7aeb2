"""Events too large for the bus."""

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


def test_the_data_is_stored_and_the_event_claims_it() -> None:
    """A consumer finds the event's own data under the claim, of the size and the hash that it says."""
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


def test_what_fits_is_published_as_it_is() -> None:
    """One byte less than the limit needs no claim, in its order among the others."""
    publisher, claims = MemoryPublisher(), MemoryClaims()
    room = CALL_LIMIT - size(noted("a", 1))
    entries = [noted("a", 1, text="x" * (room - 1)), noted("b", 2, text="x" * room), noted("c", 3)]
    LargePublisher(publisher, claims).publish(entries, forever)
    assert [entry.document for entry in publisher.entries] == [entry.document for entry in entries]
    assert [b'"claim":' in entry.detail for entry in publisher.entries] == [False, True, False]
    assert len(claims.objects) == 1


def test_a_repeat_finds_its_data_and_other_data_has_another_key() -> None:
    """A mapper that was changed never replaces what a consumer was told to fetch."""
    publisher, claims = MemoryPublisher(), MemoryClaims()
    for _ in range(2):
        LargePublisher(publisher, claims).publish([noted("a", 1, text=LARGE)], forever)
    assert publisher.entries[0] == publisher.entries[1]
    assert len(claims.objects) == 1
    assert key(noted("a", 1), b"1") != key(noted("a", 1), b"2")


def test_without_time_nothing_is_stored() -> None:
    """The message comes again."""
    claims = MemoryClaims()
    with pytest.raises(Unavailable):
        LargePublisher(MemoryPublisher(), claims).publish([noted("a", 1, text=LARGE)], lambda: 0.0)
    assert claims.objects == {}
