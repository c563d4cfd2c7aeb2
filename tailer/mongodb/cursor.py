"""One open change stream of MongoDB or DocumentDB, read reply by reply."""

from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from msgspec.structs import replace
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from tailer.errors import Misconfigured
from tailer.model import After, At, Batch, Checkpoint, Position, known_time
from tailer.mongodb.decoding.text import ESCAPED
from tailer.mongodb.events.batching import Batcher
from tailer.mongodb.events.change_events import INVALIDATE
from tailer.mongodb.events.positions import event_token, next_time, time_of, token_document, token_text
from tailer.mongodb.watch import Watch
from tailrace.wire.change import Change

AWAIT = 1_000  # ms that the server waits for a change before it sends an empty reply
EVENTS_PER_REPLY = 5_000

_MORE = {"batchSize": EVENTS_PER_REPLY, "maxTimeMS": AWAIT}
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument, unicode_decode_error_handler=ESCAPED)


class Cursor:
    """One open change stream, until it is closed or what it watches is gone."""

    def __init__(
        self,
        client: "MongoClient[Any]",
        watch: Watch,
        after: Checkpoint,
        session: ClientSession,
        batcher: Batcher,
        *,
        events_per_reply: int = EVENTS_PER_REPLY,
    ) -> None:
        self._db = client[watch.target.database or "admin"]
        self._session = session
        self._batcher = batcher
        self._position = after
        self._more = {"batchSize": min(events_per_reply, _MORE["batchSize"]), "maxTimeMS": _MORE["maxTimeMS"]}
        self._id = 0
        self._collection = ""
        self._events: deque[RawBSONDocument] = deque()
        self._post_batch: Mapping[str, Any] | None = None
        self._read(watch.command(_start(after.position)), "firstBatch")

    def batches(self) -> Generator[Batch]:
        """Yield the changes of every reply in batches of bounded size, and one empty batch for a reply without events."""
        if self._events:  # an empty first reply only shows that the stream was opened
            yield from self._batches_of_reply()
        while self._id:
            self._batcher.wait()
            self._read({"getMore": self._id, "collection": self._collection, **self._more}, "nextBatch")
            yield from self._batches_of_reply()

    def close(self) -> None:
        """Close the cursor on the server, if the server can be reached."""
        if self._id:
            with suppress(PyMongoError):
                self._command({"killCursors": self._collection, "cursors": [self._id]})

    def kill(self, client: "MongoClient[Any]") -> None:
        """Close the cursor from another thread, on another connection: an outstanding scan then fails at once."""
        database = client[self._db.name]
        with suppress(PyMongoError):
            database.command({"killCursors": self._collection, "cursors": [self._id]}, read_preference=database.read_preference)

    def _read(self, command: dict[str, Any], batch: str) -> None:
        """Read the next reply. Memory holds one reply at a time, because each may have 16 MB."""
        cursor = self._command(command)["cursor"]
        self._id, self._collection = int(cursor["id"]), str(cursor["ns"]).partition(".")[2]
        self._events, self._post_batch = deque(cursor[batch]), cursor.get("postBatchResumeToken")

    def _batches_of_reply(self) -> Iterator[Batch]:
        yield self._batch()
        while self._events:
            yield self._batch()

    def _batch(self) -> Batch:
        """
        Decode the next events, and set the position after them. Only a token of the server moves the position.

        An empty reply without a token leaves the position: DocumentDB may write change events long after their commit. Only an
        invalidate event moves it by time, because its token cannot be resumed after: the stream continues at the next cluster
        time. This skips nothing. A drop or a rename is an oplog entry of its own, and nobody can write to the collection
        meanwhile, so no other event of the stream has that time.
        """
        changes, size, last = self._batcher.next(self._events, self._position.sequence + 1)
        post_batch = None if self._events else self._post_batch
        if changes and changes[-1].operation_type == INVALIDATE:
            invalidate = changes.pop()
            self._move(changes, At(next_time(invalidate.cluster_time)))
        elif last is not None:
            token = token_text(post_batch) if post_batch and self._id else event_token(last)
            self._move(changes, After(token, known_time(changes[-1])))
        elif not self._id:
            raise Misconfigured(
                "TAILER_PIPELINE removes the invalidate event, which reports that the watched collection or database was "
                "dropped or renamed: let operationType invalidate pass"
            )
        elif post_batch:
            self._move(changes, After(token_text(post_batch), self._position.reached))
        else:
            self._position = replace(self._position, unconfirmed=True)
        return Batch(changes=changes, checkpoint=self._position, size=size)

    def _move(self, changes: Sequence[Change], to: Position) -> None:
        sequence = self._position.sequence + len(changes)
        self._position = replace(self._position, sequence=sequence, position=to, unconfirmed=False)

    def _command(self, command: dict[str, Any]) -> RawBSONDocument:
        return self._db.command(command, codec_options=_RAW, session=self._session, read_preference=self._db.read_preference)


def _start(position: Position) -> dict[str, Any]:
    if isinstance(position, After):
        return {"resumeAfter": token_document(position.token)}
    return {"startAtOperationTime": time_of(position.time)}
