"""What every inbox promises (`tailrace.consuming.Inbox`). An inbox's own test is a subclass with the fixtures below."""

from collections.abc import Callable
from typing import Any

import pytest

from tailrace.consuming import Inbox
from tests.tailrace.consuming.values import event


class InboxConformance:
    @pytest.fixture
    def inbox(self) -> Inbox[Any]:
        raise NotImplementedError

    @pytest.fixture
    def append(self) -> Callable[[str], Any]:
        """An effect that appends a text to what ``applied`` returns."""
        raise NotImplementedError

    @pytest.fixture
    def failing(self) -> Any:
        """An effect that fails."""
        raise NotImplementedError

    @pytest.fixture
    def applied(self) -> Callable[[], str]:
        raise NotImplementedError

    def test_event_is_applied_once(self, inbox: Inbox[Any], append: Any, applied: Any) -> None:
        """Whichever generation a repeat comes in; other events are not affected."""
        repeats = [event(1), event(1), event(1, generation=9, late=True), event(2)]
        assert [inbox.once(one, append("x")) for one in repeats] == [True, False, False, True]
        assert applied() == "xx"

    def test_effect_that_fails_leaves_no_note(self, inbox: Inbox[Any], append: Any, failing: Any, applied: Any) -> None:
        """The message is delivered again, and handled as if for the first time."""
        for method in (inbox.once, inbox.newest):
            with pytest.raises(Exception, match=r"TransactionCanceled|failed on purpose"):
                method(event(1), failing)
            assert method(event(1), append("x"))
        assert applied() == "xx"

    def test_several_effects_are_applied_together(self, inbox: Inbox[Any], append: Any, applied: Any) -> None:
        assert inbox.once(event(1), append("a"))
        assert not inbox.once(event(1), append("b"))
        assert applied() == "a"

    def test_without_effects_the_note_is_kept(self, inbox: Inbox[Any]) -> None:
        assert [inbox.once(event(1)), inbox.once(event(1))] == [True, False]
        assert [inbox.newest(event(1)), inbox.newest(event(1))] == [True, False]

    def test_older_event_is_not_applied(self, inbox: Inbox[Any], append: Any, applied: Any) -> None:
        """Out of order, repeated, or late, from a redrive."""
        events = [event(3, sequence=3), event(2, sequence=2), event(3, sequence=3), event(1, sequence=1, late=True)]
        assert [inbox.newest(one, append("x")) for one in events] == [True, False, False, False]
        assert inbox.newest(event(10, sequence=10), append("y"))
        assert applied() == "xy"

    def test_late_event_of_a_document_without_newer_ones_is_applied(self, inbox: Inbox[Any]) -> None:
        """The mark means that the lane has published something newer, perhaps of another document."""
        assert inbox.newest(event(9, sequence=9, document="payments.payments/other"))
        assert inbox.newest(event(1, sequence=1, late=True))

    def test_higher_generation_is_newer_whatever_its_sequence(self, inbox: Inbox[Any]) -> None:
        """After a rewind the events come again in a new generation, and in order. A paused tailer's old ones are dropped."""
        events = [
            event(5, generation=1_795_330_000, sequence=5),
            event(4, generation=1_795_330_001, sequence=4),
            event(6, generation=1_795_330_000, sequence=6),
            event(5, generation=1_795_330_001, sequence=5),
        ]
        assert [inbox.newest(one) for one in events] == [True, True, False, True]

    def test_positions_are_compared_as_numbers(self, inbox: Inbox[Any]) -> None:
        """Up to the largest ones that an event can have, those of a DynamoDB stream."""
        events = [event(1, sequence=9), event(2, sequence=10), event(3, sequence=2**63 - 1), event(4, generation=2**63 - 1)]
        assert [inbox.newest(one) for one in events] == [True, True, True, True]
        assert not inbox.newest(event(5, generation=2, sequence=5))

    def test_each_event_of_one_change_is_applied(self, inbox: Inbox[Any], append: Any, applied: Any) -> None:
        """They have the same position and different ids."""
        events = [event(1), event(2), event(1), event(3), event(2), event(9, sequence=2), event(3)]
        assert [inbox.newest(one, append("x")) for one in events] == [True, True, False, True, False, True, False]
        assert applied() == "xxxx"

    def test_documents_and_streams_are_compared_by_themselves(self, inbox: Inbox[Any]) -> None:
        """Positions of two streams say nothing about each other."""
        assert inbox.newest(event(9, sequence=9))
        assert inbox.newest(event(1, document="payments.payments/p-2"))
        assert inbox.newest(event(2, stream="refunds"))
