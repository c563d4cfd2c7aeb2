"""One open change stream of MongoDB or DocumentDB, read reply by reply."""

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
from tailer.model import Batch, Checkpoint
from tailer.mongodb.change_events import (
    INVALIDATE,
    next_time,
    time_of,
    token_document,
    token_text,
)
from tailer.mongodb.decoding.text import ESCAPED
from tailer.mongodb.event_reader import ReadEvent
from tailer.mongodb.watch import Watch
from tailer.resume_tokens import token_time
from tailrace.wire.change import Change

AWAIT = 1_000  # ms the server waits for a change before it answers with an empty reply
EVENTS_PER_REPLY = 5_000
BYTES_PER_BATCH = 4_194_304  # bytes of BSON; a reply may be 16 MB, and decoded documents take about ten times their BSON

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
        read: ReadEvent,
        *,
        events_per_reply: int = EVENTS_PER_REPLY,
    ) -> None:
        self._db = client[watch.target.database or "admin"]
        self._session = session
        self._read = read
        self._position = after
        self._more = {"batchSize": min(events_per_reply, _MORE["batchSize"]), "maxTimeMS": _MORE["maxTimeMS"]}
        self._reply = self._command(watch.command(_position(after)))

    @property
    def _id(self) -> int:
        return int(self._reply["cursor"]["id"])

    def batches(self) -> Generator[Batch]:
        """What every reply holds, in batches of bounded size; one empty batch for a reply without events."""
        if self._reply["cursor"]["firstBatch"]:  # none is asked for: that the stream opens does not show that it goes on
            yield from self._batches_of_reply("firstBatch")
        while self._id:
            self._reply = self._command({"getMore": self._id, "collection": self._collection, **self._more})
            yield from self._batches_of_reply("nextBatch")

    def close(self) -> None:
        """Leave no cursor behind on the server, if it can still be reached."""
        if self._id:
            with suppress(PyMongoError):
                self._command({"killCursors": self._collection, "cursors": [self._id]})

    def kill(self, client: "MongoClient[Any]") -> None:
        """End the cursor from another thread, on another connection: a scan that is outstanding fails at once."""
        database = client[self._db.name]
        with suppress(PyMongoError):
            database.command({"killCursors": self._collection, "cursors": [self._id]}, read_preference=database.read_preference)

    def _batches_of_reply(self, name: str) -> Iterator[Batch]:
        *slices, last = _slices(self._reply["cursor"][name])
        for events in slices:
            yield self._batch(events)
        yield self._batch(last, self._reply["cursor"].get("postBatchResumeToken"))

    def _batch(self, events: Sequence[RawBSONDocument], post_batch: Mapping[str, Any] | None = None) -> Batch:
        """
        These events as changes, and the position after them: a token of the server, and nothing else moves it.

        An empty reply without one leaves the position: DocumentDB may write change events long after their commit. Only after
        an invalidate, whose token cannot be resumed after, does the stream go on by time: the first time after the event's own.
        That skips nothing: a drop or a rename is an oplog entry of its own, and the server lets nobody write there meanwhile,
        so no other event of what is watched has that time.
        """
        following = self._position.sequence + 1
        changes = [self._read(event, following + number, number) for number, event in enumerate(events)]
        if changes and changes[-1].operation_type == INVALIDATE:
            gone = changes.pop()
            self._moved(changes, token=None, time=next_time(gone.cluster_time))
        elif changes:
            token = token_text(post_batch if post_batch and self._id else events[-1]["_id"])
            self._moved(changes, token=token, time=changes[-1].cluster_time)
        elif not self._id:
            raise Misconfigured("TAILER_PIPELINE hides the event which says that what is watched is gone: let invalidate pass")
        elif post_batch:
            self._moved(changes, token=token_text(post_batch), time=self._position.cluster_time)
        else:
            self._position = replace(self._position, unconfirmed=True)
        return Batch(changes=changes, checkpoint=self._position)

    def _moved(self, changes: Sequence[Change], *, token: str | None, time: str) -> None:
        """The position behind these changes; ``time`` is what is known of a token that does not name its own."""
        sequence = self._position.sequence + len(changes)
        time = (token_time(token) if token else None) or time
        self._position = replace(self._position, sequence=sequence, token=token, cluster_time=time, unconfirmed=False)

    @property
    def _collection(self) -> str:
        return str(self._reply["cursor"]["ns"]).partition(".")[2]

    def _command(self, command: dict[str, Any]) -> RawBSONDocument:
        return self._db.command(command, codec_options=_RAW, session=self._session, read_preference=self._db.read_preference)


def _position(after: Checkpoint) -> dict[str, Any]:
    if after.token is not None:
        return {"resumeAfter": token_document(after.token)}
    return {"startAtOperationTime": time_of(after.cluster_time)}


def _slices(events: Sequence[RawBSONDocument]) -> Iterator[Sequence[RawBSONDocument]]:
    """The events in order, in runs of at most ``BYTES_PER_BATCH``; at least one run, which may be empty."""
    begin = size = 0
    for end, event in enumerate(events):
        if size and size + len(event.raw) > BYTES_PER_BATCH:
            yield events[begin:end]
            begin, size = end, 0
        size += len(event.raw)
    yield events[begin:]
