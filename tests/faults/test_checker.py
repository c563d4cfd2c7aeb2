"""The checker detects every broken guarantee that the suite is about."""

from typing import Any

from tailrace.change import Change
from tailrace.message import ChangeMessage
from tailrace.wire.change import Namespace, UpdateDescription
from tests.faults.checker import Checker, Verdict
from tests.faults.entries import Kind, Ledger


def a_ledger(*kinds: Kind, document: str = "a") -> Ledger:
    ledger = Ledger()
    for kind in kinds:
        ledger.commit(document, kind)
    return ledger


def a_change(sequence: int, kind: Kind = "update", number: int | None = None, **other: Any) -> Change:
    """Build a change that by default is the entry of document ``a`` with the number of its sequence."""
    fields = {"n": sequence if number is None else number}
    values: dict[str, Any] = {"id": f"82{sequence:04}", "document_key": {"_id": "a"}, "cluster_time": "1.1"}
    if kind == "update":
        values["update_description"] = UpdateDescription(updated_fields=fields)
    elif kind != "delete":
        values["full_document"] = fields
    return Change(sequence=sequence, operation_type=kind, ns=Namespace(db="d", coll="c"), **values | other)


def a_message(*changes: Change, lane: int = 0) -> ChangeMessage:
    return ChangeMessage(stream="s", generation=1, lane=lane, changes=changes)


def judged(ledger: Ledger, *messages: ChangeMessage) -> Verdict:
    checker = Checker()
    for message in messages:
        checker.deliver(message)
    return checker.judge(ledger)


INSERT, UPDATE, DELETE = a_change(1, "insert"), a_change(2), a_change(3, "delete")
THREE = a_ledger("insert", "update", "delete")


def test_complete_and_ordered_changes_hold() -> None:
    verdict = judged(THREE, a_message(INSERT, UPDATE), a_message(DELETE))
    assert verdict.holds, verdict.lines()
    assert (verdict.committed, verdict.arrivals, verdict.repeats) == (3, 3, 0)


def test_repeat_with_the_same_id_and_sequence_holds() -> None:
    """However old it is and however it is packed."""
    verdict = judged(THREE, a_message(INSERT, UPDATE), a_message(DELETE), a_message(INSERT), a_message(UPDATE, DELETE))
    assert verdict.holds, verdict.lines()
    assert verdict.repeats == 3


def test_missing_entry_is_lost_and_leaves_a_gap() -> None:
    verdict = judged(THREE, a_message(INSERT, DELETE))
    assert (verdict.lost, verdict.gaps, verdict.holds) == (["a update 2"], ["2"], False)


def test_missing_last_entry_is_lost() -> None:
    """Only the ledger shows it."""
    verdict = judged(THREE, a_message(INSERT, UPDATE))
    assert (verdict.lost, verdict.gaps, verdict.holds) == (["a delete"], [], False)


def test_older_change_after_a_newer_one_of_its_lane_is_out_of_order() -> None:
    """The forwarder's watermark would drop it."""
    verdict = judged(THREE, a_message(INSERT), a_message(DELETE), a_message(UPDATE))
    assert len(verdict.reordered) == 2
    assert "#2 (a update 2) behind #3" in verdict.reordered[0]
    assert not verdict.holds


def test_older_change_after_a_newer_one_of_another_lane_is_in_order() -> None:
    ledger = a_ledger("insert")
    ledger.commit("b", "insert")
    other = a_change(1, "insert", document_key={"_id": "b"})
    assert judged(ledger, a_message(a_change(2, "insert", 1), lane=1), a_message(other, lane=0)).holds


def test_entries_of_a_document_out_of_commit_order_are_detected() -> None:
    """Even if the stream's sequences increase."""
    verdict = judged(a_ledger("insert", "update", "update"), a_message(INSERT, a_change(2, number=3), a_change(3, number=2)))
    assert (verdict.reordered, verdict.holds) == (["a"], False)


def test_repeat_with_another_id_is_unrecognisable() -> None:
    verdict = judged(THREE, a_message(INSERT, UPDATE, DELETE), a_message(a_change(2, id="other")))
    assert len(verdict.unrecognisable) == 1
    assert not verdict.holds


def test_repeat_with_another_sequence_is_unrecognisable() -> None:
    """It would pass the watermark."""
    verdict = judged(THREE, a_message(INSERT, UPDATE, DELETE), a_message(a_change(4, id=UPDATE.id)))
    assert len(verdict.unrecognisable) == 1
    assert not verdict.holds


def test_entry_that_was_never_committed_is_detected() -> None:
    verdict = judged(a_ledger("insert"), a_message(INSERT, UPDATE))
    assert (verdict.invented, verdict.holds) == (["a update 2"], False)
