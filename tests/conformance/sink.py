"""What every sink promises (`tailer.ports.Sink`). A sink's own test is a subclass with the fixtures below."""

import random
from collections.abc import Callable, Sequence

import pytest

from tailer.errors import Rejected
from tailer.ports import Sink
from tailrace.wire.change import Change
from tests.samples.changes import a_change, changes_of

Received = Callable[[], Sequence[Change]]


class SinkConformance:
    @pytest.fixture
    def sink(self) -> Sink:
        raise NotImplementedError

    @pytest.fixture
    def received(self) -> Received:
        """Return what a consumer receives since the last call, in order within each lane."""
        raise NotImplementedError

    @pytest.fixture
    def undeliverable(self) -> Change:
        """A change that the sink will never accept, however well it is compressed."""
        return a_change(7, full_document={"text": random.Random(1).randbytes(1_000_000).hex()})

    def test_every_change_is_there_when_send_returns(self, sink: Sink, received: Received) -> None:
        """As it was sent, whichever lane it has."""
        changes = [a_change(number) for number in range(1, 501)]
        sink.send(changes, 1)
        assert sorted(received(), key=lambda change: change.sequence) == changes

    def test_a_document_keeps_its_order(self, sink: Sink, received: Received) -> None:
        """Within a batch and from batch to batch, beside other documents."""
        changes = [a_change(number, document_key={"_id": number % 3}) for number in range(1, 1_001)]
        for start in range(0, 1_000, 250):
            sink.send(changes[start : start + 250], 1)
        found = received()
        assert len(found) == 1_000
        for document in range(3):
            numbers = [change.sequence for change in found if change.document_key["_id"] == document]
            assert numbers == sorted(numbers)

    def test_a_repeat_has_the_same_ids(self, sink: Sink, received: Received) -> None:
        """It may arrive or be dropped, and nothing else is lost by it."""
        changes = changes_of("a", 5)
        for batch in (changes[:3], changes, changes):
            sink.send(batch, 1)
        assert {(change.sequence, change.id) for change in received()} == {(change.sequence, change.id) for change in changes}

    def test_packed_is_called_once_before_anything_is_sent(self, sink: Sink, received: Received) -> None:
        """The loop releases memory then; also for a batch that is empty."""
        before: list[int] = []
        sink.send(changes_of("a", 5), 1, lambda: before.append(len(received())))
        sink.send([], 1, lambda: before.append(0))
        assert (before, len(received())) == ([0, 0], 5)

    def test_a_rejected_change_is_named(self, sink: Sink, received: Received, undeliverable: Change) -> None:
        """The batch fails. Without that change it is accepted."""
        good = changes_of("a", 3)
        with pytest.raises(Rejected, match=undeliverable.document):
            sink.send([*good, undeliverable], 1)
        sink.send(good, 1)
        assert {change.sequence for change in received()} == {1, 2, 3}
