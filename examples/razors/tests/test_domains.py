"""The domains act once on each event, on a real MongoDB and in an emulated account."""

from collections.abc import Iterator

import pytest

from razors.events import PaymentCancelled, SubscriptionCreated
from razors.hops import HopMissing, Hops
from razors.payments import Payments
from razors.system import System
from tailrace.dev.screen import Screen
from tailrace.testing import published
from tailrace.testing.moments import START

CREATED = published(SubscriptionCreated(subscription_id="sub-1", product_id="razor", units_a_month=2, created_at=START))
CANCELLED = published(PaymentCancelled(payment_id="p-1", subscription_id="sub-1", cancelled_at=START))


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with System(Screen()) as system:
        yield system


def test_stock_allocates_and_returns_once(system: System) -> None:
    """A year's units. A repeat changes nothing, and an early cancellation waits."""
    with pytest.raises(LookupError, match="nothing is allocated"):
        system.stock.handle(CANCELLED)
    assert [system.stock.handle(CREATED), system.stock.handle(CREATED)] == [True, False]
    assert system.stock.allocated("razor") == 24
    assert [system.stock.handle(event) for event in (CANCELLED, CANCELLED, CREATED)] == [True, False, False]
    assert system.stock.allocated("razor") == 0


def test_payments_are_created_once(system: System) -> None:
    """The event's id and the payment are written in one transaction."""
    domain = Payments(system.mongo, "test")
    assert [domain.handle(CREATED), domain.handle(CREATED)] == [True, False]
    assert domain.statuses("sub-1") == ["created"]


def test_subscriptions_are_cancelled_once(system: System) -> None:
    """A repeat writes nothing, so it causes no change."""
    system.subscriptions.create("sub-2", "blades", 1, "Ada")
    cancelled = published(PaymentCancelled(payment_id="p-2", subscription_id="sub-2", cancelled_at=START), sequence=2)
    assert [system.subscriptions.handle(cancelled) for _ in range(2)] == [True, False]
    assert system.subscriptions.status("sub-2") == "cancelled"


def test_missing_hop_ends_the_run() -> None:
    hops = Hops(Screen(), {})
    with pytest.raises(HopMissing, match="pigs fly"):
        hops.check("pigs fly", lambda: False, 0.1)
    assert hops.count == 0
