"""The verdict can fail, and says what broke."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from devstack.consumer import Received
from devstack.payments import CANCELLED, CREATED, Committed
from devstack.verdict import judge

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
COMMITTED = [("a", CREATED), ("b", CREATED), ("a", CANCELLED), ("b", CANCELLED)]


def commits(named: Sequence[tuple[str, str]] = COMMITTED) -> list[Committed]:
    return [Committed(document=document, event=event, at=NOON) for document, event in named]


def arrival(document: str, name: str, sequence: int, id: str | None = None, generation: int = 1) -> Received:  # noqa: A002
    id = id or f"{document}-{name}"  # noqa: A001
    position = {"generation": generation, "sequence": sequence, "operation": "update"}
    return Received(name=name, source="app.payments", metadata={"id": id, "document": document, **position}, data={}, at=NOON)


def arrivals() -> list[Received]:
    return [arrival(document, name, number) for number, (document, name) in enumerate(COMMITTED, start=1)]


def test_what_was_committed_and_nothing_else_holds() -> None:
    """Every commit heard of once, in order: the verdict holds and counts them."""
    verdict = judge(commits(), arrivals())
    assert verdict.holds
    assert (verdict.committed, verdict.arrivals, verdict.repeats) == (4, 4, ())
    assert not any(line.startswith("FAIL") for line in verdict.lines())


def test_documents_may_overtake_each_other() -> None:
    """Order is promised per document only."""
    a_created, b_created, a_cancelled, b_cancelled = arrivals()
    assert judge(commits(), [b_created, b_cancelled, a_created, a_cancelled]).holds


def test_a_missing_event_fails() -> None:
    """A commit that nobody heard of is named, and is not called out of order too."""
    verdict = judge(commits(), [event for event in arrivals() if (event.document, event.name) != ("a", CREATED)])
    assert not verdict.holds
    assert verdict.missing == (("a", CREATED),)
    assert verdict.reordered == ()
    assert "FAIL every change accounted for: 3 of 4 (a PaymentCreated)" in verdict.lines()


@pytest.mark.parametrize(("document", "name"), [("c", CREATED), ("a", "PaymentRefunded")])
def test_an_event_without_a_commit_fails(document: str, name: str) -> None:
    """An event of an unknown document, or of a kind that was never committed, is named."""
    verdict = judge(commits(), [*arrivals(), arrival(document, name, 9)])
    assert not verdict.holds
    assert verdict.unexpected == ((document, name),)


def test_events_of_one_document_in_the_wrong_order_fail() -> None:
    """A cancellation before the creation of the same payment is out of order, even with all of them there."""
    a_created, b_created, a_cancelled, b_cancelled = arrivals()
    verdict = judge(commits(), [a_cancelled, a_created, b_created, b_cancelled])
    assert not verdict.holds
    assert verdict.reordered == ("a",)


def test_positions_that_do_not_grow_fail() -> None:
    """The right names in the right order, but numbered backwards: consumers that sort by position would see another order."""
    verdict = judge(commits(), [arrival("a", CREATED, 3), arrival("a", CANCELLED, 1), *arrivals()[1::2]])
    assert verdict.reordered == ("a",)


def test_a_later_generation_counts_from_one_again() -> None:
    """(generation, sequence) orders, not the sequence alone."""
    assert judge(commits(COMMITTED[::2]), [arrival("a", CREATED, 7), arrival("a", CANCELLED, 1, generation=2)]).holds


def test_a_repeat_under_the_same_id_is_allowed_and_counted() -> None:
    """At least once: an old event may come again, even after newer ones, as long as it can be recognised."""
    first, *others = arrivals()
    verdict = judge(commits(), [first, *others, first, first])
    assert verdict.holds
    assert verdict.repeats == (first, first)
    assert "     6 arrivals, 2 of them repeats (changes #1)" in verdict.lines()


def test_a_repeat_under_another_id_fails() -> None:
    """The same commit announced under two ids cannot be recognised as a repeat by anyone."""
    verdict = judge(commits(), [*arrivals(), arrival("b", CREATED, 9, id="another")])
    assert not verdict.holds
    assert verdict.doubled == (("b", CREATED),)
    assert verdict.unexpected == ()


def test_silence_fails() -> None:
    """Nothing arriving is every change missing; a long list is shortened."""
    verdict = judge(commits([(str(number), CREATED) for number in range(9)]), [])
    assert len(verdict.missing) == 9
    assert "and 4 more" in verdict.lines()[0]
