"""Which changes of a subscription become events, and what the events contain."""

import pytest
from msgspec.structs import replace

from examples.payments.events.subscriptions import subscription_cancelled, subscription_created
from tailrace.change import Change
from tailrace.questions.images import Uncertain
from tailrace.wire.change import Namespace, UpdateDescription
from tests.samples.changes import a_change

DOCUMENT = {"_id": "sub-1", "productId": "razor-5", "quantity": 1, "status": "active", "name": "Ada"}


def a_subscription(**fields: object) -> Change:
    ns = Namespace(db="subscriptions", coll="subscriptions")
    return a_change(ns=ns, document_key={"_id": "sub-1"}, full_document=DOCUMENT | fields)


def test_insert_is_subscription_created() -> None:
    """Without personal data of the customer."""
    event = subscription_created(a_subscription())
    assert event is not None
    assert (event.subscription_id, event.product_id, event.quantity) == ("sub-1", "razor-5", 1)


def test_update_of_the_status_is_subscription_cancelled() -> None:
    """Later updates are not."""
    set_now = UpdateDescription(updated_fields={"status": "cancelled"})
    change = replace(a_subscription(status="cancelled"), operation_type="update", update_description=set_now)
    event = subscription_cancelled(change)
    assert event is not None
    assert event.subscription_id == "sub-1"
    later = replace(change, update_description=UpdateDescription(updated_fields={"quantity": 2}))
    assert subscription_cancelled(later) is None
    assert subscription_created(change) is None


def test_update_without_a_description_is_uncertain() -> None:
    """It is parked, so no cancellation is missed and none repeated with every later update."""
    with pytest.raises(Uncertain):
        subscription_cancelled(replace(a_subscription(status="cancelled"), operation_type="update"))
