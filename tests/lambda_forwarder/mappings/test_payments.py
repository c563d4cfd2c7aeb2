"""When a payment's change is an event, and what the event tells."""

import msgspec
import pytest

from lambda_forwarder.mappings.payments import payment_cancelled, payment_created
from tailrace.wire.change import UpdateDescription
from tests.lambda_forwarder.values import cancelled, inserted


def test_an_insert_is_a_payment_created() -> None:
    """A new payment is announced once, with its subscription."""
    event = payment_created(inserted())
    assert event is not None
    assert (event.payment_id, event.subscription_id) == ("65f2a1c09b1e8a5d4c3b2a19", "sub-0001")


def test_a_replace_is_not_a_payment_created() -> None:
    """A document written again as a whole was there before."""
    assert payment_created(msgspec.structs.replace(inserted(), operation_type="replace")) is None


def test_setting_the_status_is_a_payment_cancelled() -> None:
    """The update that set the status announces the cancellation."""
    event = payment_cancelled(cancelled())
    assert event is not None
    assert event.subscription_id == "sub-0001"


def test_a_later_update_does_not_cancel_again() -> None:
    """An update of another field is no cancellation, though the looked-up document says cancelled."""
    later = msgspec.structs.replace(
        cancelled(), update_description=UpdateDescription(updated_fields={"accountNumber": "10000002"})
    )
    assert payment_cancelled(later) is None


def test_a_cancellation_is_told_although_the_document_is_gone() -> None:
    """Deleted before the lookup: the event goes out, its subscription null."""
    event = payment_cancelled(cancelled(looked_up=False))
    assert event is not None
    assert event.subscription_id is None


def test_the_pre_image_knows_the_subscription_too() -> None:
    """Where the server keeps pre-images, a deleted document's subscription is still told."""
    change = msgspec.structs.replace(cancelled(looked_up=False), full_document_before_change=inserted().full_document)
    event = payment_cancelled(change)
    assert event is not None
    assert event.subscription_id == "sub-0001"


@pytest.mark.parametrize("operation", ["delete", "drop", "rename", "invalidate"])
def test_other_operations_mean_nothing(operation: str) -> None:
    """A delete or a change of the whole collection is no payment event."""
    change = msgspec.structs.replace(inserted(), operation_type=operation, full_document=None)
    assert payment_created(change) is None
    assert payment_cancelled(change) is None


def test_a_payment_imported_as_cancelled_is_created_and_cancelled() -> None:
    """Both happened with one insert; consumers hear both."""
    change = inserted(status="cancelled")
    assert payment_created(change)
    assert payment_cancelled(change)
