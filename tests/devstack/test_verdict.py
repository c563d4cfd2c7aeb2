"""The verdict can fail, and names the reason."""

from collections.abc import Sequence

import pytest

from devstack.payments import CANCELLED, CREATED, Committed
from devstack.verdict import judge
from tailrace.dev.consumer import Received
from tests.arrivals import NOON, arrival

COMMITTED = [("a", CREATED), ("b", CREATED), ("a", CANCELLED), ("b", CANCELLED)]


def commits(named: Sequence[tuple[str, str]] = COMMITTED) -> list[Committed]:
    return [Committed(document=document, event=event, at=NOON) for document, event in named]


def all_events() -> list[Received]:
    return [arrival(document, name, number) for number, (document, name) in enumerate(COMMITTED, start=1)]


def test_complete_events_hold() -> None:
    verdict = judge(commits(), all_events())
    assert verdict.holds
    assert (verdict.committed, verdict.arrivals, verdict.repeats) == (4, 4, ())
    assert not any(line.startswith("FAIL") for line in verdict.lines())


def test_documents_may_overtake_each_other() -> None:
    """Order is guaranteed per document only."""
    a_created, b_created, a_cancelled, b_cancelled = all_events()
    assert judge(commits(), [b_created, b_cancelled, a_created, a_cancelled]).holds


def test_missing_event_fails() -> None:
    """It is named, and is not reported as out of order."""
    verdict = judge(commits(), [event for event in all_events() if (event.document, event.name) != ("a", CREATED)])
    assert not verdict.holds
    assert verdict.missing == (("a", CREATED),)
    assert verdict.reordered == ()
    assert "FAIL every change accounted for: 3 of 4 (a PaymentCreated)" in verdict.lines()


@pytest.mark.parametrize(("document", "name"), [("c", CREATED), ("a", "PaymentRefunded")])
def test_event_without_a_commit_fails(document: str, name: str) -> None:
    """An unknown document, or an event that was never committed."""
    verdict = judge(commits(), [*all_events(), arrival(document, name, 9)])
    assert not verdict.holds
    assert verdict.unexpected == ((document, name),)


def test_events_of_one_document_in_the_wrong_order_fail() -> None:
    a_created, b_created, a_cancelled, b_cancelled = all_events()
    verdict = judge(commits(), [a_cancelled, a_created, b_created, b_cancelled])
    assert not verdict.holds
    assert verdict.reordered == ("a",)


def test_decreasing_positions_fail() -> None:
    """Consumers that sort by position would see another order."""
    verdict = judge(commits(), [arrival("a", CREATED, 3), arrival("a", CANCELLED, 1), *all_events()[1::2]])
    assert verdict.reordered == ("a",)


def test_later_generation_may_restart_the_sequence() -> None:
    """(generation, sequence) is the order."""
    assert judge(commits(COMMITTED[::2]), [arrival("a", CREATED, 7), arrival("a", CANCELLED, 1, generation=2)]).holds


def test_repeat_with_the_same_id_is_allowed_and_counted() -> None:
    """An old event may arrive again, even after newer ones."""
    first, *others = all_events()
    verdict = judge(commits(), [first, *others, first, first])
    assert verdict.holds
    assert verdict.repeats == (first, first)
    assert "     6 arrivals, 2 of them repeats (changes #1)" in verdict.lines()


def test_repeat_with_another_id_fails() -> None:
    verdict = judge(commits(), [*all_events(), arrival("b", CREATED, 9, "another")])
    assert not verdict.holds
    assert verdict.doubled == (("b", CREATED),)
    assert verdict.unexpected == ()


def test_no_events_fail() -> None:
    """A long list is shortened."""
    verdict = judge(commits([(str(number), CREATED) for number in range(9)]), [])
    assert len(verdict.missing) == 9
    assert "and 4 more" in verdict.lines()[0]
