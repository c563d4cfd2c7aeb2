"""A change stream of MongoDB or DocumentDB, opened at a checkpoint and read until it fails or is closed."""

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from threading import Event
from typing import Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import AutoReconnect, ConnectionFailure, NetworkTimeout, OperationFailure

from tailer.background import background
from tailer.errors import Unavailable
from tailer.model import Batch, Checkpoint, Start
from tailer.mongodb.connection.client import Reader
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.connection.responses import may_be_of_one_event
from tailer.mongodb.cursor import EVENTS_PER_REPLY, Cursor
from tailer.mongodb.decoding.duplicate_fields import DuplicateFields
from tailer.mongodb.events.batching import Batcher
from tailer.mongodb.events.event_reader import EventReader
from tailer.mongodb.events.large_events import REASON, LargeEventReader
from tailer.mongodb.events.size_errors import ClosedConnections
from tailer.mongodb.history import History
from tailer.mongodb.watch import Watch
from tailer.poison import PARK, OnPoison
from tailer.read_limits import UNLIMITED_MEMORY, ReadLimits
from tailrace.wire.change import Change

log = logging.getLogger(__name__)


class MongodbSource:
    """
    See ``Source``. ``start`` is where a stream without a checkpoint starts. Change streams are read with the ``reader``.
    Without one they are read with the ``client``, and it is unknown which read is outstanding.
    """

    def __init__(
        self,
        client: "MongoClient[Any]",
        watch: Watch,
        start: Start = "now",
        reader: Reader | None = None,
        on_poison: OnPoison = PARK,
        encode: Callable[[Change], Change] = lambda change: change,
    ) -> None:
        self._history = History(client, start)
        self._reader = reader
        self._reads = reader.client if reader else client
        self._thread = 0
        self._open: Cursor | None = None
        self._watch = watch
        self._warned = False
        self._duplicates = DuplicateFields()
        self._on_poison = on_poison
        self._closed = ClosedConnections()
        self._encode = encode
        self._limits = ReadLimits(UNLIMITED_MEMORY)

    def first(self) -> Checkpoint:
        return self._history.first()

    def oldest(self) -> str | None:
        return self._history.oldest()

    def batches(self, after: Checkpoint, limits: ReadLimits | None = None) -> Generator[Batch]:
        """
        If a reply fails because of one change, the changes before it are read one by one and sent first. A change that is too
        large for the server is then read again with less in it.
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
                    one_event = events > 1 and may_be_of_one_event(error)
                    if not (one_event or self._closed.too_large(error, after.position)):
                        raise
                    if events > 1:
                        events = 1
                        continue
                    for batch in self._large_events(error, after, session):
                        after = batch.checkpoint
                        yield batch
                    events = most

    def _large_events(self, error: Exception, after: Checkpoint, session: ClientSession) -> Generator[Batch]:
        alone = partial(self._until_gone, session=session, events=1)
        reader = LargeEventReader(self._watch, self._on_poison, alone, lambda batch: self._limits.release(batch.size))
        return reader.batches(error, after)

    def _in_replies_of(self, events: int, after: Checkpoint, session: ClientSession) -> Generator[Batch]:
        """Read until the watched collection is gone; with one event in each reply, only as many as a large reply holds."""
        with closing(self._until_gone(self._watch, after, session, events)) as batches:
            yield from batches if events > 1 else _worth_a_reply(batches, after)

    def _until_gone(self, watch: Watch, after: Checkpoint, session: ClientSession, events: int) -> Generator[Batch]:
        """Read until the watched collection is gone; the stream is then opened again after that. No cursor stays open."""
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
            if self._open is cursor:  # else the stream was opened again while this read was outstanding
                self._open = None
            if reachable:
                cursor.close()
            else:  # in the background, because the server may not respond
                self._kill(cursor)

    def outstanding(self) -> float | None:
        return self._reader.commands.seconds(self._thread) if self._reader else None

    def interrupt(self) -> None:
        """See ``Source``. The kill uses another connection. If the server does not respond, its monitor ends the read."""
        if cursor := self._open:
            self._kill(cursor)

    def _kill(self, cursor: Cursor) -> None:
        once = Event()
        once.set()
        background("kill cursor", partial(cursor.kill, self._reads), once)

    @contextmanager
    def _scan_limit(self) -> Iterator[None]:
        """Give the timeout of a long scan its own message."""
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
    Yield as many batches as a large reply holds events, or until an empty batch has moved the position.

    An empty batch at the same position does not count: the server may still scan.
    """
    for batch in islice(batches, EVENTS_PER_REPLY):
        yield batch
        if not batch.changes and batch.checkpoint.position != after.position:
            return
        after = batch.checkpoint
