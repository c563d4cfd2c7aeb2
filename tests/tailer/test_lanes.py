"""What must stay in order takes the same lane, always."""

import pytest

from contract.change import Namespace
from tailer.errors import Rejected
from tailer.lanes import lanes
from tests.samples.changes import a_change


def test_a_document_keeps_its_lane_for_ever() -> None:
    """These numbers were written down once: no release may change them, or order is lost while it rolls out."""
    lane_of = lanes(128, "document")
    assert [lane_of(a_change(number)) for number in range(5)] == [30, 104, 8, 21, 41]


def test_every_operation_on_a_document_takes_its_lane() -> None:
    """Only namespace and key decide."""
    lane_of = lanes(128, "document")
    key = {"_id": "65f0"}
    assert len({lane_of(a_change(n, document_key=key, operation_type=op)) for n, op in enumerate(("insert", "delete"))}) == 1


def test_documents_spread_over_the_lanes() -> None:
    """A thousand documents use nearly all of 128 lanes, none of them for more than three percent."""
    lane_of = lanes(128, "document")
    taken = [lane_of(a_change(number)) for number in range(1000)]
    assert len(set(taken)) > 120
    assert max(map(taken.count, set(taken))) < 30


def test_the_same_key_in_another_collection_is_another_document() -> None:
    """The namespace is part of the hash."""
    lane_of = lanes(100_000, "document")
    assert lane_of(a_change(1)) != lane_of(a_change(1, ns=Namespace(db="payments", coll="refunds")))


def test_a_stream_in_one_lane_is_in_one_order() -> None:
    """``stream`` puts everything in lane 0."""
    assert {lanes(128, "stream")(a_change(number)) for number in range(100)} == {0}


def test_a_field_may_decide() -> None:
    """Changes that share the field's value share a lane, wherever in the event the field is."""
    lane_of = lanes(128, "customer.id")
    looked_up = a_change(1, full_document={"customer": {"id": 7}})
    before = a_change(2, operation_type="delete", full_document=None, full_document_before_change={"customer": {"id": 7}})
    assert lane_of(looked_up) == lane_of(before)


@pytest.mark.parametrize("order_by", ["document", "stream", "customer"])
@pytest.mark.parametrize("operation", ["gap", "drop", "rename", "dropDatabase"])
def test_what_is_not_about_one_document_has_a_lane_in_every_order(order_by: str, operation: str) -> None:
    """It carries no field, and must not stop the stream."""
    change = a_change(1, operation_type=operation, document_key={}, full_document=None)
    assert 0 <= lanes(128, order_by)(change) < 128


def test_a_change_without_the_field_stops_the_stream() -> None:
    """Its place in the order is unknown, so it is not guessed."""
    with pytest.raises(Rejected, match=r"TAILER_ORDER_BY=customer.*payments.payments/.*pre-images"):
        lanes(128, "customer")(a_change(1, operation_type="delete", full_document=None))
