"""
Positions that every store can keep, even if a resume token is very long.

A token contains the document's ``_id``, so it may be as long as that: megabytes. An item of DynamoDB holds 400 KB.
"""

import logging
from itertools import takewhile

from msgspec.structs import replace

from tailer.model import At, Batch, Checkpoint
from tailer.resume_tokens import ID_LIMIT

TOKEN_LIMIT = ID_LIMIT  # characters; the record has other fields, and DynamoDB counts 409,600 bytes for all of them

log = logging.getLogger(__name__)


class StorablePositions:
    """
    The position to save after each batch: the server's token, or if that is too long, the cluster time of the last change.

    A stream that starts at a cluster time reads every change of that time again; a transaction has several. So the position
    keeps the number before the first of these changes: they get the same numbers and ids when they are read again.
    """

    def __init__(self, start: Checkpoint) -> None:
        self._by_time = start  # a start here reads every change of the last cluster time again
        self._time = start.position.time
        self._logged = False

    def after(self, batch: Batch) -> Checkpoint:
        """The position after the batch. A start there loses no change and gives none another number."""
        self._follow(batch)
        position = batch.checkpoint.position
        if isinstance(position, At) or len(position.token) <= TOKEN_LIMIT:
            return batch.checkpoint
        if not self._logged:
            self._logged = True
            log.warning(
                "the resume token has %d characters, and a checkpoint keeps at most %d: the token contains the document's _id. "
                "Until a shorter token arrives, the checkpoint keeps the cluster time instead. Nothing is lost; a restart may "
                "send some changes again, with the same ids",
                *(len(position.token), TOKEN_LIMIT),
                extra={"action": "long_token"},
            )
        return replace(self._by_time, unconfirmed=batch.checkpoint.unconfirmed)

    def _follow(self, batch: Batch) -> None:
        if not batch.changes:
            return
        time = batch.changes[-1].cluster_time
        same = list(takewhile(lambda change: change.cluster_time == time, reversed(batch.changes)))
        if len(same) == len(batch.changes) and time == self._time:
            return  # the changes before this batch may be of that time too
        self._time = time
        self._by_time = replace(batch.checkpoint, position=At(time), sequence=same[-1].sequence - 1)
