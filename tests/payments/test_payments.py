"""Which changes of a payment become events, and what the events contain."""

import msgspec
import pytest

from examples.payments.events.payments import payment_cancelled, payment_created
from tailrace.wire.change import UpdateDescription
from tests.lambda_forwarder.values import cancelled, inserted


def test_insert_is_payment_created() -> None:
    event = payment_created(inserted())
    assert event is not None
    assert (event.payment_id, event.subscription_id) == ("65f2a1c09b1e8a5d4c3b2a19", "sub-0001")


def test_replace_is_not_payment_created() -> None:
    """The document existed before."""
    assert payment_created(msgspec.structs.replace(inserted(), operation_type="replace")) is None


def test_update_of_the_status_is_payment_cancelled() -> None:
    event = payment_cancelled(cancelled())
    assert event is not None
    assert event.subscription_id == "sub-0001"


def test_later_update_does_not_cancel_again() -> None:
    """Although the looked-up document has the status cancelled."""
    later = msgspec.structs.replace(
        cancelled(), update_description=UpdateDescription(updated_fields={"accountNumber": "10000002"})
    )
    assert payment_cancelled(later) is None


def test_cancellation_of_a_deleted_document_has_no_subscription() -> None:
    event = payment_cancelled(cancelled(looked_up=False))
    assert event is not None
    assert event.subscription_id is None


def test_cancellation_reads_the_subscription_from_the_pre_image() -> None:
    change = msgspec.structs.replace(cancelled(looked_up=False), full_document_before_change=inserted().full_document)
    event = payment_cancelled(change)
    assert event is not None
    assert event.subscription_id == "sub-0001"


@pytest.mark.parametrize("operation", ["delete", "drop", "rename", "invalidate"])
def test_other_operations_are_no_payment_events(operation: str) -> None:
    change = msgspec.structs.replace(inserted(), operation_type=operation, full_document=None)
    assert payment_created(change) is None
    assert payment_cancelled(change) is None


def test_payment_inserted_as_cancelled_is_created_and_cancelled() -> None:
    change = inserted(status="cancelled")
    assert payment_created(change)
    assert payment_cancelled(change)
