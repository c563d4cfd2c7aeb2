"""What every source promises (`tailer.ports.Source`). A source's own test is a subclass with the fixtures below."""

import threading
from collections.abc import Callable
from contextlib import closing

import pytest
from msgspec.structs import replace

from tailer.errors import HistoryLost, Unavailable
from tailer.model import After, At, Batch, Checkpoint
from tailer.ports import Source
from tailer.read_limits import UNLIMITED_MEMORY, Closed, ReadLimits
from tailrace.wire.change import Change

Commit = Callable[[int], object]
COUNT = 7


def read(source: Source, after: Checkpoint, count: int, limit: int = 0) -> list[Batch]:
    """Return the batches up to the next `count` changes and the first empty batch after them."""
    found: list[Batch] = []
    with closing(source.batches(after, ReadLimits(UNLIMITED_MEMORY, limit))) as batches:
        for batch in batches:
            found.append(batch)
            if len(changes_in(found)) >= count and not batch.changes:
                return found
    raise AssertionError("a stream does not end")


def changes_in(batches: list[Batch]) -> list[Change]:
    return [change for batch in batches for change in batch.changes]


class SourceConformance:
    @pytest.fixture
    def source(self) -> Source:
        raise NotImplementedError

    @pytest.fixture
    def commit(self) -> Commit:
        """Commit this many changes that the source watches."""
        raise NotImplementedError

    @pytest.fixture
    def commit_elsewhere(self) -> Callable[[], object]:
        """Commit a change that the source does not watch."""
        raise NotImplementedError

    @pytest.fixture
    def expired(self, source: Source) -> Checkpoint:
        """A checkpoint whose history the server no longer has."""
        raise NotImplementedError

    @pytest.fixture
    def start(self, source: Source) -> Checkpoint:
        return source.first()

    def test_first_is_after_everything_before_it(self, source: Source, commit: Commit) -> None:
        """A new stream begins now, and misses nothing from then on."""
        commit(2)
        start = source.first()
        commit(1)
        assert [change.sequence for change in changes_in(read(source, start, 1))] == [1]

    def test_changes_are_numbered_on_from_the_checkpoint(self, source: Source, start: Checkpoint, commit: Commit) -> None:
        """All of them, in order, each with its own id; the last checkpoint has the last number and the same generation."""
        commit(COUNT)
        batches = read(source, replace(start, sequence=41, generation=3), COUNT)
        changes = changes_in(batches)
        assert [change.sequence for change in changes] == list(range(42, 42 + COUNT))
        assert len({change.id for change in changes}) == COUNT
        assert (batches[-1].checkpoint.sequence, batches[-1].checkpoint.generation) == (41 + COUNT, 3)

    def test_the_same_checkpoint_yields_the_same_changes(self, source: Source, start: Checkpoint, commit: Commit) -> None:
        """With the same numbers and ids, from the checkpoint of each batch and from the position of each change."""
        commit(COUNT)
        batches = read(source, start, COUNT, limit=2)
        changes = changes_in(batches)
        for batch in batches:
            rest = changes[batch.checkpoint.sequence :]
            assert changes_in(read(source, batch.checkpoint, len(rest))) == rest
        for number, change in enumerate(changes, 1):
            at = replace(start, sequence=number, position=After(change.id, change.cluster_time))
            assert changes_in(read(source, at, COUNT - number)) == changes[number:]

    def test_no_batch_has_more_changes_than_the_limit(self, source: Source, start: Checkpoint, commit: Commit) -> None:
        """A change that may crash the task is in a batch of its own."""
        commit(COUNT)
        assert {len(batch.changes) for batch in read(source, start, COUNT, limit=1)} == {0, 1}

    def test_the_checkpoint_of_an_idle_stream_moves(
        self, source: Source, start: Checkpoint, commit_elsewhere: Callable[[], object]
    ) -> None:
        """An empty batch follows what others commit, so that the position does not expire."""
        with closing(source.batches(start, ReadLimits())) as batches:
            before = next(batches).checkpoint
            commit_elsewhere()
            moved = next(batch for batch in batches if batch.checkpoint.position != before.position)
        assert (list(moved.changes), moved.checkpoint.sequence) == ([], 0)

    def test_memory_is_reserved_before_a_batch_is_yielded(self, source: Source, start: Checkpoint, commit: Commit) -> None:
        """Its size, which the loop releases. The next batch waits for it, and ends when the limits are closed."""
        commit(1)
        limits = ReadLimits(memory=1)
        with closing(source.batches(start, limits)) as batches:
            first = next(batch for batch in batches if batch.changes)
            assert first.size > 0
            commit(1)
            limits.close()
            with pytest.raises(Closed):
                list(batches)

    def test_lost_history_is_an_error(self, source: Source, expired: Checkpoint) -> None:
        """Neither a silent start from now nor an endless retry."""
        with pytest.raises(HistoryLost), closing(source.batches(expired, ReadLimits())) as batches:
            next(batches)

    def test_a_stream_can_start_where_the_history_begins(self, source: Source, start: Checkpoint, commit: Commit) -> None:
        """A source that does not know its history says so."""
        commit(2)
        if (oldest := source.oldest()) is not None:
            assert len(changes_in(read(source, replace(start, position=At(oldest)), 2))) == 2

    def test_an_outstanding_read_can_be_interrupted(self, source: Source, start: Checkpoint) -> None:
        """From another thread. The reader opens the stream again at its checkpoint."""
        ended, failures = threading.Event(), list[Exception]()

        def idle() -> None:
            try:
                with closing(source.batches(start, ReadLimits(UNLIMITED_MEMORY))) as batches:
                    for _ in batches:
                        continue
            except Unavailable as error:
                failures.append(error)
            finally:
                ended.set()

        thread = threading.Thread(target=idle)
        thread.start()
        while not ended.wait(0.05):
            source.interrupt()
        thread.join()
        assert len(failures) == 1

    def test_a_closed_stream_leaves_no_read(self, source: Source, start: Checkpoint, commit: Commit) -> None:
        """It can be opened again, and an interrupt of what is closed does nothing."""
        with closing(source.batches(start, ReadLimits())) as batches:
            next(batches)
        assert source.outstanding() is None
        source.interrupt()
        commit(1)
        assert len(changes_in(read(source, start, 1))) == 1
