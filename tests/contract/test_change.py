"""What one may ask of a change."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contract.change import Namespace, UpdateDescription, canonical
from tests.samples.changes import a_change


def an_update(fields: dict[str, Any], **others: Any) -> Any:
    return a_change(operation_type="update", update_description=UpdateDescription(updated_fields=fields), **others)


def test_an_update_became_what_it_set() -> None:
    """The update that set the field is the transition."""
    assert an_update({"status": "cancelled"}).became("status", "cancelled")


def test_a_later_update_does_not_announce_it_again() -> None:
    """An update that set another field is no transition, even if the looked-up document carries the value."""
    assert not an_update({"note": "x"}, full_document={"status": "cancelled"}).became("status", "cancelled")


def test_a_looked_up_document_that_is_already_newer_changes_nothing() -> None:
    """The update set it, whatever the document has become since, or if it is gone."""
    assert an_update({"status": "cancelled"}, full_document={"status": "refunded"}).became("status", "cancelled")
    assert an_update({"status": "cancelled"}, full_document=None).became("status", "cancelled")


def test_a_pre_image_rules_out_what_was_there_before() -> None:
    """Setting a field to the value it had is no transition where the server tells."""
    assert not an_update({"status": "cancelled"}, full_document_before_change={"status": "cancelled"}).became(
        "status", "cancelled"
    )


@pytest.mark.parametrize("operation", ["insert", "replace"])
def test_a_whole_document_sets_every_field_of_it(operation: str) -> None:
    """Inserts and replaces are judged by the document they carry."""
    assert a_change(operation_type=operation, full_document={"status": "cancelled"}).became("status", "cancelled")


def test_a_delete_becomes_nothing() -> None:
    """What is gone has no fields, not even the value None."""
    assert not a_change(operation_type="delete", full_document=None).became("status", None)


def test_it_occurred_when_the_server_says() -> None:
    """To the millisecond with a wall time, to the second without."""
    assert a_change(cluster_time="1795332226.7").occurred_at == datetime(2026, 11, 22, 7, 23, 46, tzinfo=UTC)
    exact = a_change(wall_time="2026-11-22T07:23:46.107Z").occurred_at
    assert exact == datetime(2026, 11, 22, 7, 23, 46, 107_000, tzinfo=UTC)


def test_a_document_has_one_name() -> None:
    """Namespace and key, readable; compound keys in canonical JSON; what has no key is named by its namespace."""
    assert a_change(document_key={"_id": "65f0"}).document == "payments.payments/65f0"
    assert a_change(document_key={"_id": {"b": 1, "a": 2}}).document == 'payments.payments/{"a":2,"b":1}'
    assert a_change(ns=Namespace(db="payments"), document_key={}).document == "payments/"


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    """Equal values give equal bytes."""
    assert canonical({"b": [1, {"d": 1, "c": 2}], "a": None}) == canonical({"a": None, "b": [1, {"c": 2, "d": 1}]})
