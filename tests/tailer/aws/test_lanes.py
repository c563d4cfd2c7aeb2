"""Changes that must stay in order always have the same lane."""

from typing import Any

import pytest
from msgspec.structs import replace

from tailer.aws.lanes import RULE, lanes
from tailer.errors import Undeliverable
from tailer.poison import stub_of
from tailrace.wire.change import Change, Document, Namespace, UpdateDescription
from tests.samples.changes import a_change


def test_lane_of_a_document_never_changes() -> None:
    """These numbers are stored: to change them, raise ``RULE``, or order is lost during a deployment."""
    assert RULE == 2
    lane_of = lanes(128, "document")
    assert [lane_of(a_change(number)) for number in range(5)] == [79, 75, 126, 87, 33]


def test_every_operation_on_a_document_has_its_lane() -> None:
    lane_of = lanes(128, "document")
    key = {"_id": "65f0"}
    assert len({lane_of(a_change(n, document_key=key, operation_type=op)) for n, op in enumerate(("insert", "delete"))}) == 1


def test_documents_are_spread_over_the_lanes() -> None:
    lane_of = lanes(128, "document")
    taken = [lane_of(a_change(number)) for number in range(1000)]
    assert len(set(taken)) > 120
    assert max(map(taken.count, set(taken))) < 30


def test_same_key_in_another_collection_is_another_document() -> None:
    lane_of = lanes(100_000, "document")
    assert lane_of(a_change(1)) != lane_of(a_change(1, ns=Namespace(db="payments", coll="refunds")))


def test_lane_depends_only_on_the_document_name() -> None:
    """Whatever the key's plain JSON is."""
    lane_of = lanes(100_000, "document")
    seven = [a_change(1, document_key={"_id": key}, document_name="payments.payments/7") for key in (7, 7.0, "7.00")]
    assert len({lane_of(change) for change in seven}) == 1
    sharded = [a_change(1, document_name=f"payments.payments/65f0?region={region}") for region in ("eu", "us")]
    assert len({lane_of(change) for change in sharded}) == 2


def test_order_by_stream_has_one_lane() -> None:
    assert {lanes(128, "stream")(a_change(number)) for number in range(100)} == {0}


def test_order_by_a_field_uses_the_fields_value() -> None:
    """Wherever the field is in the event."""
    lane_of = lanes(128, "customer.id")
    ada = {"customer": {"id": 7}}
    inserted = a_change(1, full_document=ada)
    deleted = a_change(2, operation_type="delete", full_document=None, full_document_before_change=ada)
    of_its_key = a_change(3, operation_type="delete", full_document=None, document_key={"_id": 3, **ada})
    assert len({lane_of(change) for change in (inserted, deleted, of_its_key, updated(None, ada, status="paid"))}) == 1


@pytest.mark.parametrize("equal", [7, 7.0, "7.00"], ids=["int", "double", "decimal"])
def test_equal_numbers_of_a_field_share_a_lane(equal: Any) -> None:
    """An update may replace an int by a double or a decimal, and MongoDB reports no change."""
    lane_of = lanes(100_000, "customer")
    assert lane_of(a_change(1, full_document={"customer": equal})) == lane_of(a_change(2, full_document={"customer": 7}))


def updated(full_document: Document | None, before: Document | None = None, **updated_fields: Any) -> Change:
    """Build an update that set these fields, with a looked-up document."""
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
        ({"customer": {"id": 7}}, {"status": "paid"}),  # It does not set the field.
        ({"customer": {"id": 7}}, {"customer__id": 8}),  # It sets the field.
        ({"x.y": 1}, {"customer": {"id": 7}, "x__y": 2}),  # beside a name with a dot
        ({}, {"customer": {"id": 7}}),  # with its parent
    ],
)
def test_looked_up_document_does_not_decide_the_lane(before: Document, fields: Document) -> None:
    """It may be newer when the change is read again, and the forwarder would drop a change in another lane."""
    lane_of = lanes(128, "customer.id")
    expected = lane_of(a_change(1, full_document={"customer": {"id": 7}}))
    assert {lane_of(updated(later, before, **fields)) for later in (BOB, EVE, None)} == {expected}


@pytest.mark.parametrize("before", [{}, {"customer": {"name": "Ann"}}])
def test_field_name_with_a_dot_is_not_the_path(before: Document) -> None:
    """Its value only counts if the server disambiguates it."""
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


def test_shard_key_is_named_by_its_path() -> None:
    """The server writes ``documentKey`` with dotted names, and a delete has nothing else."""
    lane_of = lanes(128, "customer.id")
    deleted = a_change(2, operation_type="delete", full_document=None, document_key={"customer.id": 7, "_id": 1})
    assert lane_of(deleted) == lane_of(a_change(1, full_document={"customer": {"id": 7}}))


def test_missing_field_is_not_read_from_a_later_document() -> None:
    with pytest.raises(Undeliverable, match="does not contain this field"):
        lanes(128, "customer.id")(updated(BOB, {"status": "created"}, status="paid"))


@pytest.mark.parametrize("name", ["customers", "customer_id", "customer.idle", "my.customer.id"])
def test_field_with_a_similar_name_is_another_field(name: str) -> None:
    fields: Document = {name: 1}
    assert lanes(128, "customer.id")(updated(None, BOB, **fields)) == lanes(128, "customer.id")(a_change(1, full_document=BOB))


@pytest.mark.parametrize("order_by", ["document", "stream", "customer"])
@pytest.mark.parametrize("operation", ["gap", "drop", "rename", "dropDatabase"])
def test_change_without_a_document_has_a_lane_in_every_order(order_by: str, operation: str) -> None:
    """It must not stop the stream."""
    change = a_change(1, operation_type=operation, document_key={}, full_document=None)
    assert 0 <= lanes(128, order_by)(change) < 128


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_change_without_the_field_is_undeliverable(operation: str) -> None:
    """Its lane is never guessed, and a looked-up document does not count. Its stub has the document's lane."""
    lane_of, change = lanes(128, "customer"), a_change(1, operation_type=operation, full_document={"customer": 7})
    with pytest.raises(Undeliverable, match=r"TAILER_ORDER_BY=customer.*TAILER_ORDER_BY=document") as why:
        lane_of(change)
    assert lane_of(stub_of(change, str(why.value))) == lanes(128, "document")(change)
