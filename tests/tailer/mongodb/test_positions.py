"""A position is the server's resume token or the time at which the stream began. Idle time and the clock never move it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pytest
from pymongo import MongoClient

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.model import After, At, Batch, Checkpoint
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.resume_tokens import token_time

Mongo = MongoClient[dict[str, Any]]

TEN_MINUTES = 600  # Empty replies of a second each.


pytestmark = pytest.mark.usefixtures("short_reads")


@dataclass
class Stream:
    """A database on a server of one kind, and a tailer that can be restarted."""

    server: DocumentdbDialect
    source: MongodbSource
    mongo: Mongo
    database: str
    at: Checkpoint
    ids: list[Any] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begun = self.at

    @property
    def post_batch_tokens(self) -> bool:
        return self.server.values["post_batch_token"] == "present"

    def commit(self, *ids: int, collection: str = "payments") -> None:
        self.mongo[self.database][collection].insert_many([{"_id": one} for one in ids])

    def read(self, replies: int) -> None:
        """Read this many replies of a stream reopened at the last position, and record each position."""
        with closing(self.source.batches(self.at)) as batches:
            for batch in islice(batches, replies):
                self._take(batch)

    def read_until(self, count: int) -> None:
        """Read this many changes and one more reply."""
        with closing(self.source.batches(self.at)) as batches:
            for batch in batches:
                self._take(batch)
                if len(self.ids) >= count and not batch.changes:
                    return

    def _take(self, batch: Batch) -> None:
        before, self.at = self.at, batch.checkpoint
        self.ids += [change.document_key["_id"] for change in batch.changes]
        self.sequences += [change.sequence for change in batch.changes]
        if isinstance(self.at.position, At):
            assert self.at.position == self.begun.position
        else:
            assert self.at.position.token in self.server.given
            assert self.at.reached == token_time(self.at.position.token)
        if not self.post_batch_tokens and not batch.changes:
            assert self.at.position == before.position


@pytest.fixture(params=["present", "absent"], ids=["with post-batch tokens", "without"])
def stream(request: pytest.FixtureRequest, stack: DevStack, fresh: str) -> Iterator[Stream]:
    """A stream that has read nothing yet."""
    port = stack.mongod.ports[0]
    with DocumentdbDialect(port, post_batch_token=request.param) as server, MongoClient[dict[str, Any]](server.uri) as client:
        server.enabled = {("", "")}
        source = MongodbSource(client, Watch(database=fresh, collections=("payments",)))
        yield Stream(server=server, source=source, mongo=stack.mongo, database=fresh, at=source.first())


def _idle(stream: Stream) -> list[int]:
    stream.commit(1)
    stream.read_until(1)
    stream.read(10)
    stream.commit(2)
    return [1, 2]


def _idle_from_the_start(stream: Stream) -> list[int]:
    stream.read(10)
    stream.commit(1)
    return [1]


def _stall(stream: Stream) -> list[int]:
    stream.commit(1)
    stream.read_until(1)
    stream.server.stalled = True
    stream.commit(2)
    stream.read(TEN_MINUTES)
    stream.server.stalled = False
    stream.commit(3)
    return [1, 2, 3]


def _stall_from_the_start(stream: Stream) -> list[int]:
    stream.server.stalled = True
    stream.commit(1)
    stream.read(TEN_MINUTES)
    stream.server.stalled = False
    return [1]


def _scan(stream: Stream) -> list[int]:
    stream.commit(1)
    stream.read_until(1)
    for _ in range(3):
        stream.commit(*range(2_000), collection="others")
        stream.read(2)
        stream.mongo[stream.database].others.drop()
    stream.commit(2)
    return [1, 2]


def _burst_after_idle(stream: Stream) -> list[int]:
    stream.read(5)
    stream.commit(*range(3_000))
    stream.read(1)
    stream.read(5)
    stream.commit(*range(3_000, 3_500))
    return list(range(3_500))


@pytest.mark.parametrize("situation", [_idle, _idle_from_the_start, _stall, _stall_from_the_start, _scan, _burst_after_idle])
def test_every_change_arrives_once_and_only_the_server_moves_the_position(
    stream: Stream, situation: Callable[[Stream], list[int]]
) -> None:
    """Also across restarts: a change committed during a stall of ten minutes is not skipped."""
    expected = situation(stream)
    stream.read_until(len(expected))
    assert stream.ids == expected
    assert stream.sequences == list(range(1, len(expected) + 1))


def test_stream_continues_after_an_invalidate_at_its_cluster_time(stream: Stream) -> None:
    """Its token cannot be resumed. The next change is neither skipped nor repeated."""
    stream.commit(1)
    stream.read_until(1)
    stream.mongo[stream.database].payments.drop()
    with closing(stream.source.batches(stream.at)) as batches:
        dropped, gone = next(batch for batch in batches if batch.changes), next(batches)
    assert dropped.changes[-1].operation_type == "drop" or isinstance(gone.checkpoint.position, At)
    last = gone if isinstance(gone.checkpoint.position, At) else dropped
    seconds, increment = dropped.changes[-1].cluster_time.split(".")
    assert last.checkpoint.position == At(f"{seconds}.{int(increment) + 1}")
    stream.commit(2)
    with closing(stream.source.batches(last.checkpoint)) as batches:
        after = next(batch for batch in batches if batch.changes)
    assert [(change.document_key["_id"], change.sequence) for change in after.changes] == [(2, 3)]


def test_server_without_post_batch_tokens_is_warned_of_once(stream: Stream, caplog: pytest.LogCaptureFixture) -> None:
    """The stream may be opened many times. The checkpoint is marked as unconfirmed."""
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        stream.read(3)
    told = [record for record in caplog.records if getattr(record, "action", "") == "no_post_batch_tokens"]
    without = not stream.post_batch_tokens
    assert len(told) == (1 if without else 0)
    assert all("3.0.11800" in record.getMessage() for record in told)
    assert stream.at.unconfirmed is without


def test_time_inside_a_token_replaces_any_other() -> None:
    """An older release may have stored the time of an empty reply beside the token."""
    token = "826921A4C800000003" + "2B022C0100296E04"
    for known in (None, "1795332226.1"):
        assert After(token, known) == After(token, "1763812552.3")
