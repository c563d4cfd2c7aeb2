"""
Reads a change that the server cannot send whole, because its event is above the 16 MB of a reply.

Each try reads less: first no documents, then only the fields that identify the change. If these are still too large, a stub
takes its place. This happens with a resume token above 8 MB: it contains the document's ``_id``, and no pipeline may remove it.
"""

import dataclasses
import logging
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from msgspec.structs import replace
from pymongo.errors import AutoReconnect, OperationFailure

from tailer.errors import Rejected
from tailer.model import At, Batch, Checkpoint
from tailer.mongodb.connection.responses import TOO_LARGE
from tailer.mongodb.events.positions import next_time, time_of
from tailer.mongodb.events.size_errors import may_be_too_large
from tailer.mongodb.scopes import Scope
from tailer.mongodb.watch import Watch
from tailer.poison import UNKNOWN, OnPoison, poison
from tailer.resume_tokens import short, token_time
from tailer.times import rfc3339
from tailrace.text.redaction import redacted
from tailrace.wire import identity
from tailrace.wire.change import UNKNOWN_TIME, Change, Namespace

REASON = "its event is larger than the 16 MB that the server can send, even without its document"
_TOKEN_LIMIT = 8_390_000  # bytes: an event and the position after it, each with its token, fit into a reply's 16,793,600
_SHOWN = 100  # characters of a token in an id; the server's error shows 150
_IDENTIFYING = {"operationType": 1, "clusterTime": 1, "ns": 1, "documentKey": 1}
_TOKEN = re.compile(r'_id: \{ _data: "((?:82|01)[0-9A-F]{16}[0-9A-F]*)')

log = logging.getLogger(__name__)


class LargeEventReader:
    """
    Reads one change that is too large. ``read`` opens a stream after a checkpoint and reads it change by change; ``discard``
    releases a batch that is not sent.
    """

    def __init__(
        self,
        watch: Watch,
        on_poison: OnPoison,
        read: Callable[[Watch, Checkpoint], Generator[Batch]],
        discard: Callable[[Batch], object],
    ) -> None:
        self._watch = watch
        self._on_poison = on_poison
        self._read = read
        self._discard = discard

    def batches(self, error: Exception, after: Checkpoint) -> Generator[Batch]:
        """Yield the next change with as much of it as the server can send, or its stub. ``error``: of the whole event."""
        for watch in _smaller(self._watch):
            if batch := self._next(watch, after):
                if isinstance(error, AutoReconnect):  # if the whole event can be read now, the connection was the problem
                    self._discard(batch)
                    batch = self._next(self._watch, after) or dataclasses.replace(batch, size=0)
                yield batch
                return
        yield from self._unread(error, after)

    def _next(self, watch: Watch, after: Checkpoint) -> Batch | None:
        """The next change alone. None if it is too large for this ``watch`` too."""
        try:
            with closing(self._read(watch, after)) as batches:
                batch = next((batch for batch in batches if _moved(batch, after)), Batch(changes=[], checkpoint=after))
        except (OperationFailure, AutoReconnect) as error:
            if not may_be_too_large(error):
                raise
            return None
        for change in batch.changes if watch != self._watch else ():
            if change.poison is None:
                log.warning(
                    "the %s of %s, together with its document, is larger than the 16 MB that the server can send. The change "
                    "is delivered without its document",
                    *(change.operation_type, change.document),
                    extra={"action": "document_left_out", "change": short(change.id)},
                )
        return batch

    def _unread(self, error: Exception, after: Checkpoint) -> Generator[Batch]:
        """The stub of a change that the server cannot send at all, the other changes of its time, and the position after it."""
        token = self._token(after)
        if (time := token_time(token)) is None:
            if isinstance(error, AutoReconnect):
                raise error
            raise Rejected(
                f"a change of {self._watch.target} after {rfc3339(after.reached)} is larger than the 16 MB that the server can "
                "send, even without its documents, and the server does not report which change. Nothing was skipped; the "
                "stream stops here. Exclude the change with a $match in TAILER_PIPELINE, then run tailer checkpoint "
                f"accept-settings. The server says: {redacted(str(error).partition(', full error:')[0])}"
            ) from error
        changes = [self._on_poison.instead(_stub_of_unread(token, after.sequence + 1, self._watch.target))]
        numbered = replace(after, sequence=after.sequence + 1)
        with closing(self._read(_rest_of(self._watch, time), numbered)) as batches:
            for batch in batches:
                if batch.changes:
                    after = numbered = batch.checkpoint
                    yield Batch(changes=[*changes, *batch.changes], checkpoint=after, size=batch.size)
                    changes = []
                elif time_of(batch.checkpoint.reached or time) > time_of(time):
                    break
                else:
                    yield Batch(changes=[], checkpoint=after)
        yield Batch(changes=changes, checkpoint=replace(numbered, position=At(next_time(time))))

    def _token(self, after: Checkpoint) -> str:
        """The beginning of the next change's token, as the server's error shows it. Empty if it does not."""
        try:
            with closing(self._read(_unsendable(self._watch), after)) as batches:
                next((batch for batch in batches if _moved(batch, after)), None)
        except OperationFailure as error:
            if error.code not in TOO_LARGE:
                raise
            found = _TOKEN.search(str(error))
            return found[1][:_SHOWN] if found else ""
        return ""


def _moved(batch: Batch, after: Checkpoint) -> bool:
    return bool(batch.changes) or batch.checkpoint.position != after.position


def _smaller(watch: Watch) -> Iterator[Watch]:
    """The same stream with less in each event; the last has only the fields that identify the change."""
    bare = dataclasses.replace(watch, full_document="default", full_document_before_change="off")
    if not watch.bare:
        yield bare
    yield dataclasses.replace(bare, last=({"$project": _IDENTIFYING},))


def _unsendable(watch: Watch) -> Watch:
    """The same stream with every token four times, so that the server's error shows the beginning of one above 4 MB."""
    return dataclasses.replace(watch, last=({"$project": {**_IDENTIFYING, "two": "$_id", "three": "$_id", "four": "$_id"}},))


def _rest_of(watch: Watch, time: str) -> Watch:
    """The same stream up to this cluster time, which all changes of a transaction share, without tokens that fit no reply."""
    small = {"$lt": [{"$bsonSize": "$_id"}, _TOKEN_LIMIT]}
    return dataclasses.replace(watch, first=({"$match": {"clusterTime": {"$lte": time_of(time)}, "$expr": small}},))


def _stub_of_unread(token: str, sequence: int, target: Scope) -> Change:
    """The stub of a change of which only the beginning of its token is known. The id and the document's name are made of it."""
    name = f"{token}-unread"
    return Change(
        id=name,
        sequence=sequence,
        operation_type=UNKNOWN,
        ns=Namespace(db=target.database, coll=target.collection),
        cluster_time=token_time(token) or UNKNOWN_TIME,
        document_name=identity.name(target.database, target.collection, name),
        poison=poison(f"{REASON}: its _id alone is too large"),
    )
