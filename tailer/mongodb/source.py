"""A change stream of MongoDB or DocumentDB, opened again wherever the last reader ended."""

import dataclasses
import logging
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC
from functools import cached_property, partial
from itertools import islice
from threading import Event
from typing import Any

from msgspec.structs import replace
from pymongo import MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.errors import ConnectionFailure, NetworkTimeout, OperationFailure

from tailer.background import background
from tailer.errors import Misconfigured, Unavailable
from tailer.model import Batch, Checkpoint
from tailer.mongodb.change_events import next_time, reply_time, time_of, time_text
from tailer.mongodb.cursor import EVENTS_PER_REPLY, Cursor
from tailer.mongodb.decoding.duplicate_fields import DuplicateFields
from tailer.mongodb.engine import maybe_documentdb
from tailer.mongodb.errors import TOO_LARGE, mongodb_errors
from tailer.mongodb.reads import Reader
from tailer.mongodb.watch import Watch
from tailer.times import rfc3339, seconds

log = logging.getLogger(__name__)


class MongodbSource:
    """
    ``start`` is where a stream without a checkpoint begins: ``now``, ``beginning`` or ``"seconds.increment"``. Change streams
    are read through the ``reader``; without one through the ``client``, and which read is outstanding is then unknown.
    """

    def __init__(self, client: "MongoClient[Any]", watch: Watch, start: str = "now", reader: Reader | None = None) -> None:
        self._client = client
        self._reader = reader
        self._reads = reader.client if reader else client
        self._thread = 0
        self._open: Cursor | None = None
        self._watch = watch
        self._start = start
        self._warned = False
        self._duplicates = DuplicateFields()

    def first(self) -> Checkpoint:
        """
        The position a stream without a checkpoint starts at; see ``Source``.

        Its generation is the server's time in seconds: above that of every start before, even if that one's checkpoint was
        lost, so that nobody takes what follows for a repeat.
        """
        with mongodb_errors():
            reply = self._client.admin.command("hello")
        now = reply_time(reply) or f"{int(reply['localTime'].replace(tzinfo=UTC).timestamp())}.0"
        return Checkpoint(generation=seconds(now), cluster_time=self._start_time(now))

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
            raise Misconfigured("TAILER_START=beginning needs read on local.oplog.rs; DocumentDB has none: give a time")
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

    def batches(self, after: Checkpoint) -> Generator[Batch]:
        """
        Changes after the checkpoint as they come; see ``Source``.

        A change that is too large for the server together with its looked-up document is read once more without it; those
        before it, which the server fails in the same reply, are read one by one until it is found, or is no longer too large.
        """
        events = EVENTS_PER_REPLY
        self._thread = threading.get_ident()
        with mongodb_errors(), self._scan_limit(), self._reads.start_session(causal_consistency=False) as session:
            while True:
                try:
                    for batch in self._in_replies_of(events, after, session):
                        after = batch.checkpoint
                        yield batch
                    events = EVENTS_PER_REPLY
                except OperationFailure as error:
                    if error.code not in TOO_LARGE or self._watch.bare:
                        raise
                    if events > 1:
                        events = 1
                        continue
                    batch = self._one_bare(after, session)
                    after, events = batch.checkpoint, EVENTS_PER_REPLY
                    yield batch

    def _in_replies_of(self, events: int, after: Checkpoint, session: ClientSession) -> Generator[Batch]:
        """Until what is watched is gone; one by one only for as long as that may be needed."""
        with closing(self._until_gone(self._watch, after, session, events)) as batches:
            yield from batches if events > 1 else _worth_a_reply(batches, after)

    def _until_gone(self, watch: Watch, after: Checkpoint, session: ClientSession, events: int) -> Generator[Batch]:
        """Until what is watched is gone; the stream then opens anew behind that moment. No cursor is left behind."""
        reachable = True
        self._open = cursor = Cursor(self._reads, watch, after, session, events_per_reply=events, duplicates=self._duplicates)
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
        return self._reader.outstanding.seconds(self._thread) if self._reader else None

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
            if self._reader and self._reader.outstanding.failed_after(self._thread) >= self._reader.seconds:
                raise Unavailable(
                    f"MongoDB did not answer a read within {self._reader.seconds:g} s (TAILER_SCAN_SECONDS). If it looks "
                    "through much history, raise that: the next read begins at the same position"
                ) from error
            raise

    def _warn_of_missing_tokens(self) -> None:
        if not self._warned:
            self._warned = True
            log.warning(
                "the server sends no post-batch resume tokens: while the stream is idle its position stays at the last change, "
                "which can age out of the history (see headroom), and the lag is unknown. Update DocumentDB 5.0 to the engine "
                "patch 3.0.11800 or newer",
                extra={"action": "no_post_batch_tokens"},
            )

    def _one_bare(self, after: Checkpoint, session: ClientSession) -> Batch:
        """The next change alone, with nothing but what it set."""
        bare = dataclasses.replace(self._watch, full_document="default", full_document_before_change="off")
        with closing(self._until_gone(bare, after, session, 1)) as batches:
            batch = next((batch for batch in batches if batch.changes), None)
        if batch is None:
            return Batch(changes=[], checkpoint=after)
        first = batch.changes[0]
        log.warning(
            "the %s of %s is too large for the server with its document; it goes on without it",
            first.operation_type,
            first.document,
            extra={"action": "document_left_out", "change": first.id},
        )
        return Batch(
            changes=[first],
            checkpoint=replace(
                after, sequence=first.sequence, token=first.id, cluster_time=first.cluster_time, unconfirmed=False
            ),
        )


def _worth_a_reply(batches: Iterator[Batch], after: Checkpoint) -> Iterator[Batch]:
    """
    As many batches as a large reply holds events, or until there is nothing to read: an empty one, further on than the last.

    An empty one at the same position says nothing: the server may still be looking.
    """
    for batch in islice(batches, EVENTS_PER_REPLY):
        yield batch
        if not batch.changes and batch.checkpoint.token != after.token:
            return
        after = batch.checkpoint
