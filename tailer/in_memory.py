"""A source and a sink in memory, with the guarantees of the real ones: for tests of the loop and of all that reads a stream."""

import threading
import time
from collections.abc import Callable, Generator, Sequence

from msgspec.structs import replace

from tailer.errors import HistoryLost, Rejected, Unavailable
from tailer.model import After, At, Batch, Checkpoint, Position
from tailer.read_limits import ReadLimits
from tailrace.wire.change import Change
from tailrace.wire.message import MESSAGE_LIMIT, encode_change

SECOND = 1_795_330_000  # of every cluster time here; the increment is the number of the commit


class MemorySource:
    """
    See ``Source``. The history is a list of commits, which are numbered from 1. A commit's number is its resume token.

    An idle source yields an empty batch after ``poll`` seconds.
    """

    def __init__(self, *, poll: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._poll = poll
        self._clock = clock
        self._commits: list[Change | None] = []
        self._forgotten = 0
        self._changed = threading.Condition()
        self._waiting_since: float | None = None
        self._interrupts = 0

    def commit(self, *changes: Change) -> None:
        """Append the changes. The source gives each its id and its cluster time."""
        with self._changed:
            for change in changes:
                number = len(self._commits) + 1
                self._commits.append(replace(change, id=str(number), cluster_time=_time(number)))
            self._changed.notify_all()

    def commit_elsewhere(self) -> None:
        """Append a commit that the stream does not watch: only its position moves."""
        with self._changed:
            self._commits.append(None)
            self._changed.notify_all()

    def forget(self) -> None:
        """Drop the history: every commit so far."""
        with self._changed:
            self._forgotten = len(self._commits)

    def first(self) -> Checkpoint:
        return Checkpoint(position=At(_time(len(self._commits) + 1)))

    def oldest(self) -> str | None:
        return _time(self._forgotten + 1)

    def batches(self, after: Checkpoint, limits: ReadLimits) -> Generator[Batch]:
        done = self._commits_before(after.position)
        while True:
            commits = self._next(done, limits.batch_limit)
            done += len(commits)
            first = after.sequence + 1
            changes = [replace(change, sequence=number) for number, change in enumerate(filter(None, commits), first)]
            after = replace(after, sequence=after.sequence + len(changes))
            if commits:
                after = replace(after, position=After(str(done), _time(done)))
            size = sum(len(encode_change(change)) for change in changes)
            limits.reserve(size)
            yield Batch(changes=changes, checkpoint=after, size=size)

    def _next(self, done: int, limit: int) -> Sequence[Change | None]:
        """Return the commits after this number, at most ``limit`` unless it is 0; none if nothing is committed in time."""
        with self._changed:
            if done < self._forgotten:
                raise HistoryLost(f"the history begins at commit {self._forgotten + 1}, and commit {done + 1} is needed")
            interrupts, self._waiting_since = self._interrupts, self._clock()
            self._changed.wait_for(lambda: len(self._commits) > done or self._interrupts > interrupts, self._poll)
            self._waiting_since = None
            if self._interrupts > interrupts:
                raise Unavailable("the read was interrupted")
            return self._commits[done : done + limit if limit else None]

    def _commits_before(self, position: Position) -> int:
        match position:
            case At(time=at):
                second, increment = map(int, at.split("."))
                return max(0, increment - 1) if second == SECOND else len(self._commits) if second > SECOND else 0
            case After(token=token) if token.isdecimal() and int(token) <= len(self._commits):
                return int(token)
        raise HistoryLost("the resume token is not valid here")

    def outstanding(self) -> float | None:
        since = self._waiting_since
        return None if since is None else self._clock() - since

    def interrupt(self) -> None:
        with self._changed:
            self._interrupts += 1
            self._changed.notify_all()


class MemorySink:
    """See ``Sink``. ``accepted`` has every change, in order; ``limit`` is the size from which a change is refused, in bytes."""

    def __init__(self, limit: int = MESSAGE_LIMIT) -> None:
        self.accepted: list[Change] = []
        self._limit = limit

    def send(
        self,
        changes: Sequence[Change],
        generation: int,  # noqa: ARG002 - nothing here drops a repeat
        packed: Callable[[], object] = lambda: None,
    ) -> None:
        for change in changes:
            if len(encode_change(change)) >= self._limit:
                raise Rejected(f"the {change.operation_type} of {change.document} is larger than {self._limit} bytes")
        packed()
        self.accepted += changes


def _time(number: int) -> str:
    return f"{SECOND}.{number}"
