"""What must stay in order takes the same lane, always."""

from typing import Any

import pytest
from msgspec.structs import replace

from tailer.aws.lanes import RULE, lanes
from tailer.errors import Undeliverable
from tailer.poison.on_poison import stub_of
from tailrace.wire.change import Change, Document, Namespace, UpdateDescription
from tests.samples.changes import a_change


def test_a_document_keeps_its_lane_for_ever() -> None:
    """These numbers are written down: whoever changes them raises ``RULE``, or order is lost while the release rolls out."""
    assert RULE == 2
    lane_of = lanes(128, "document")
    assert [lane_of(a_change(number)) for number in range(5)] == [79, 75, 126, 87, 33]


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


def test_one_name_is_one_lane() -> None:
    """Whatever the key's plain JSON is: the name alone decides."""
    lane_of = lanes(100_000, "document")
    seven = [a_change(1, document_key={"_id": key}, document_name="payments.payments/7") for key in (7, 7.0, "7.00")]
    assert len({lane_of(change) for change in seven}) == 1
    sharded = [a_change(1, document_name=f"payments.payments/65f0?region={region}") for region in ("eu", "us")]
    assert len({lane_of(change) for change in sharded}) == 2


def test_a_stream_in_one_lane_is_in_one_order() -> None:
    """``stream`` puts everything in lane 0."""
    assert {lanes(128, "stream")(a_change(number)) for number in range(100)} == {0}


def test_a_field_may_decide() -> None:
    """Changes that share the field's value share a lane, wherever in the event the field is."""
    lane_of = lanes(128, "customer.id")
    ada = {"customer": {"id": 7}}
    inserted = a_change(1, full_document=ada)
    deleted = a_change(2, operation_type="delete", full_document=None, full_document_before_change=ada)
    of_its_key = a_change(3, operation_type="delete", full_document=None, document_key={"_id": 3, **ada})
    assert len({lane_of(change) for change in (inserted, deleted, of_its_key, updated(None, ada, status="paid"))}) == 1


@pytest.mark.parametrize("equal", [7, 7.0, "7.00"], ids=["int", "double", "decimal"])
def test_equal_numbers_of_a_field_share_a_lane(equal: Any) -> None:
    """An update may turn an int into a double or a decimal, and MongoDB calls it no change."""
    lane_of = lanes(100_000, "customer")
    assert lane_of(a_change(1, full_document={"customer": equal})) == lane_of(a_change(2, full_document={"customer": 7}))


def updated(full_document: Document | None, before: Document | None = None, **updated_fields: Any) -> Change:
    """An update that set these fields, and the document as somebody looked it up."""
    description = UpdateDescription(updated_fields={name.replace("__", "."): set_to for name, set_to in updated_fields.items()})
    return a_change(
        9,
        operation_type="update",
        full_document=full_document,
        full_document_before_change=before,
        update_description=description,
    )


BOB, EVE = {"customer": {"id": 8}}, {"customer": {"id": 9}}


@pytest.mark.parametrize(
    ("before", "fields"),
    [
        ({"customer": {"id": 7}}, {"status": "paid"}),  # it does not touch the field
        ({"customer": {"id": 7}}, {"customer__id": 8}),  # it changes the field
        ({"x.y": 1}, {"customer": {"id": 7}, "x__y": 2}),  # beside a name with a dot
        ({}, {"customer": {"id": 7}}),  # with all that is around it
    ],
)
def test_a_looked_up_document_does_not_decide_where_the_change_does(before: Document, fields: Document) -> None:
    """Read again it may be another one; the lane may not, or the forwarder drops the change behind what it published there."""
    lane_of = lanes(128, "customer.id")
    expected = lane_of(a_change(1, full_document={"customer": {"id": 7}}))
    assert {lane_of(updated(later, before, **fields)) for later in (BOB, EVE, None)} == {expected}


@pytest.mark.parametrize("before", [{}, {"customer": {"name": "Ann"}}])
def test_a_field_with_a_dot_in_its_name_is_not_the_path(before: Document) -> None:
    """Only where the server says that it set the field is its value the order's; a lane is not guessed."""
    lane_of = lanes(128, "customer.id")
    expected = lane_of(a_change(1, full_document={"customer": {"id": 7}}))
    told = updated(None, before, customer__id=7)
    with pytest.raises(Undeliverable, match="does not contain this field"):
        lane_of(told)
    said = UpdateDescription(updated_fields={"customer.id": 7}, disambiguated_paths={"customer.id": ["customer.id"]})
    with pytest.raises(Undeliverable, match="does not contain this field"):
        lane_of(replace(told, update_description=said))
    assert lane_of(replace(told, update_description=replace(said, disambiguated_paths={}))) == expected
    assert lane_of(replace(told, full_document={"customer": {"id": 7}}, post_image=True)) == expected


def test_the_key_of_a_shard_is_named_by_its_path() -> None:
    """The server writes ``documentKey`` with dotted names: a delete carries nothing else."""
    lane_of = lanes(128, "customer.id")
    deleted = a_change(2, operation_type="delete", full_document=None, document_key={"customer.id": 7, "_id": 1})
    assert lane_of(deleted) == lane_of(a_change(1, full_document={"customer": {"id": 7}}))


def test_a_field_that_was_not_there_is_not_taken_from_a_later_document() -> None:
    """The pre-image and the update are all there is to know; who set the field since is another change."""
    with pytest.raises(Undeliverable, match="does not contain this field"):
        lanes(128, "customer.id")(updated(BOB, {"status": "created"}, status="paid"))


@pytest.mark.parametrize("name", ["customers", "customer_id", "customer.idle", "my.customer.id"])
def test_a_field_of_a_similar_name_is_another_one(name: str) -> None:
    """It may change as it likes."""
    fields: Document = {name: 1}
    assert lanes(128, "customer.id")(updated(None, BOB, **fields)) == lanes(128, "customer.id")(a_change(1, full_document=BOB))


@pytest.mark.parametrize("order_by", ["document", "stream", "customer"])
@pytest.mark.parametrize("operation", ["gap", "drop", "rename", "dropDatabase"])
def test_what_is_not_about_one_document_has_a_lane_in_every_order(order_by: str, operation: str) -> None:
    """It carries no field, and must not stop the stream."""
    change = a_change(1, operation_type=operation, document_key={}, full_document=None)
    assert 0 <= lanes(128, order_by)(change) < 128


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_change_without_the_field_is_undeliverable(operation: str) -> None:
    """Its lane is unknown, so it is not guessed, and a looked-up document does not count. Its stub has the document's own."""
    lane_of, change = lanes(128, "customer"), a_change(1, operation_type=operation, full_document={"customer": 7})
    with pytest.raises(Undeliverable, match=r"TAILER_ORDER_BY=customer.*TAILER_ORDER_BY=document") as why:
        lane_of(change)
    assert lane_of(stub_of(change, str(why.value))) == lanes(128, "document")(change)
