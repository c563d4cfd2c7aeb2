"""A change stream of MongoDB or DocumentDB, opened again wherever the last reader ended."""

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC
from functools import cached_property, partial
from itertools import islice
from threading import Event
from typing import Any

from pymongo import MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.errors import AutoReconnect, ConnectionFailure, NetworkTimeout, OperationFailure

from tailer.background import background
from tailer.errors import Misconfigured, Unavailable
from tailer.model import Batch, Checkpoint
from tailer.mongodb.cluster_facts import maybe_documentdb
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.connection.reader import Reader
from tailer.mongodb.connection.responses import may_be_of_one_event
from tailer.mongodb.cursor import EVENTS_PER_REPLY, Cursor
from tailer.mongodb.decoding.duplicate_fields import DuplicateFields
from tailer.mongodb.events.batching import Batcher
from tailer.mongodb.events.event_reader import EventReader
from tailer.mongodb.events.large_events import REASON, LargeEventReader
from tailer.mongodb.events.positions import next_time, reply_time, time_of, time_text
from tailer.mongodb.events.size_errors import ClosedConnections
from tailer.mongodb.watch import Watch
from tailer.poison.on_poison import PARK, OnPoison
from tailer.position import At
from tailer.read_limits import UNLIMITED_MEMORY, ReadLimits
from tailer.times import rfc3339, seconds
from tailrace.wire.change import Change

log = logging.getLogger(__name__)


class MongodbSource:
    """
    ``start`` is where a stream without a checkpoint begins: ``now``, ``beginning`` or ``"seconds.increment"``. Change streams
    are read through the ``reader``; without one through the ``client``, and which read is outstanding is then unknown.
    """

    def __init__(
        self,
        client: "MongoClient[Any]",
        watch: Watch,
        start: str = "now",
        reader: Reader | None = None,
        on_poison: OnPoison = PARK,
        encode: Callable[[Change], Change] = lambda change: change,
    ) -> None:
        self._client = client
        self._reader = reader
        self._reads = reader.client if reader else client
        self._thread = 0
        self._open: Cursor | None = None
        self._watch = watch
        self._start = start
        self._warned = False
        self._duplicates = DuplicateFields()
        self._on_poison = on_poison
        self._closed = ClosedConnections()
        self._encode = encode
        self._limits = ReadLimits(UNLIMITED_MEMORY)

    def first(self) -> Checkpoint:
        """
        The position a stream without a checkpoint starts at; see ``Source``.

        Its generation is the server's time in seconds: above that of every start before, even if that one's checkpoint was
        lost, so that nobody takes what follows for a repeat.
        """
        with mongodb_errors():
            reply = self._client.admin.command("hello")
        now = reply_time(reply) or f"{int(reply['localTime'].replace(tzinfo=UTC).timestamp())}.0"
        return Checkpoint(generation=seconds(now), position=At(self._start_time(now)))

    def _start_time(self, now: str) -> str:
        if self._start == "now":
            return next_time(now)
        if self._start != "beginning":
            if time_of(self._start) > time_of(next_time(now)):
                raise Misconfigured(
                    f"TAILER_START={rfc3339(self._start)} is in the future: what is committed until then would be skipped"
                )
            return self._start
        if (oldest := self.oldest()) is None:
            raise Misconfigured(
                "TAILER_START=beginning needs the right to read local.oplog.rs; DocumentDB has no oplog: give a time"
            )
        return oldest

    def oldest(self) -> str | None:
        """The beginning of the oplog, where there is one and we may read it; see ``Source``."""
        with mongodb_errors():
            if self._documentdb:
                return None
            oplog = self._client.local.get_collection("oplog.rs", read_preference=ReadPreference.PRIMARY)
            try:
                entry = oplog.find_one(sort=[("$natural", 1)], projection={"ts": 1})
            except OperationFailure:
                return None
        return time_text(entry["ts"]) if entry else None

    @cached_property
    def _documentdb(self) -> bool:
        """It has no oplog, and each question for one would be a line in its audit log."""
        return maybe_documentdb(self._client.admin.command("hello"))

    def batches(self, after: Checkpoint, limits: ReadLimits | None = None) -> Generator[Batch]:
        """
        Changes after the checkpoint as they come; see ``Source``.

        A change that is too large for the server is read once more with less in it. Those before it, which the server fails in
        the same reply, are read one by one until it is found, or is no longer too large.
        """
        self._limits = limits or ReadLimits(UNLIMITED_MEMORY)
        most = events = self._limits.batch_limit or EVENTS_PER_REPLY
        self._thread = threading.get_ident()
        with mongodb_errors(), self._scan_limit(), self._reads.start_session(causal_consistency=False) as session:
            while True:
                try:
                    for batch in self._in_replies_of(events, after, session):
                        after = batch.checkpoint
                        yield batch
                    events = most
                except (OperationFailure, AutoReconnect) as error:
                    if events > 1 and may_be_of_one_event(error):  # those before it fail in the same reply: they are sent first
                        events = 1
                        continue
                    if not self._closed.too_large(error, after.position):
                        raise
                    if events > 1:
                        events = 1
                        continue
                    alone = partial(self._until_gone, session=session, events=1)
                    oversized = LargeEventReader(
                        self._watch, self._on_poison, alone, lambda batch: self._limits.release(batch.size)
                    )
                    for batch in oversized.batches(error, after):
                        after = batch.checkpoint
                        yield batch
                    events = most

    def _in_replies_of(self, events: int, after: Checkpoint, session: ClientSession) -> Generator[Batch]:
        """Until what is watched is gone; one by one only for as long as that may be needed."""
        with closing(self._until_gone(self._watch, after, session, events)) as batches:
            yield from batches if events > 1 else _worth_a_reply(batches, after)

    def _until_gone(self, watch: Watch, after: Checkpoint, session: ClientSession, events: int) -> Generator[Batch]:
        """Until what is watched is gone; the stream then opens anew behind that moment. No cursor is left behind."""
        reachable = True
        reader = EventReader(
            self._on_poison,
            after.generation,
            post_image=watch.post_images,
            duplicates=self._duplicates,
            incomplete=REASON if watch.last else "",
        )
        batcher = Batcher(reader, self._limits, self._encode)
        self._open = cursor = Cursor(self._reads, watch, after, session, batcher, events_per_reply=events)
        try:
            for batch in cursor.batches():
                if batch.checkpoint.unconfirmed:
                    self._warn_of_missing_tokens()
                yield batch
        except ConnectionFailure:
            reachable = False
            raise
        finally:
            if self._open is cursor:  # else the stream was opened anew while this read was still outstanding
                self._open = None
            if reachable:
                cursor.close()
            else:  # it may be gone, and nobody waits for that
                self._kill(cursor)

    def outstanding(self) -> float | None:
        """See ``Source``."""
        return self._reader.commands.seconds(self._thread) if self._reader else None

    def interrupt(self) -> None:
        """See ``Source``. The server is asked on another connection; where it does not answer, its monitor ends the read."""
        if cursor := self._open:
            self._kill(cursor)

    def _kill(self, cursor: Cursor) -> None:
        once = Event()
        once.set()
        background("kill cursor", partial(cursor.kill, self._reads), once)

    @contextmanager
    def _scan_limit(self) -> Iterator[None]:
        """Tell a read that took as long as it may from any other timeout."""
        try:
            yield
        except NetworkTimeout as error:
            if self._reader and self._reader.commands.failed_after(self._thread) >= self._reader.seconds:
                raise Unavailable(
                    f"MongoDB did not respond to a read within {self._reader.seconds:g} s (TAILER_SCAN_SECONDS). If it scans a "
                    "long history, raise TAILER_SCAN_SECONDS: the next read begins at the same position"
                ) from error
            raise

    def _warn_of_missing_tokens(self) -> None:
        if not self._warned:
            self._warned = True
            log.warning(
                "the server sends no post-batch resume tokens. While the stream is idle, its checkpoint stays at the last "
                "change, which can expire from the history (see headroom), and the lag is unknown. Update DocumentDB 5.0 to "
                "engine patch 3.0.11800 or newer",
                extra={"action": "no_post_batch_tokens"},
            )


def _worth_a_reply(batches: Iterator[Batch], after: Checkpoint) -> Iterator[Batch]:
    """
    As many batches as a large reply holds events, or until there is nothing to read: an empty one, further on than the last.

    An empty one at the same position says nothing: the server may still be looking.
    """
    for batch in islice(batches, EVENTS_PER_REPLY):
        yield batch
        if not batch.changes and batch.checkpoint.position != after.position:
            return
        after = batch.checkpoint
