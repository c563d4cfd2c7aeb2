"""
Positions that every store can keep, whatever the length of a resume token.

A token holds the document's ``_id``, so it may be as long as that: megabytes. An item of DynamoDB holds 400 KB.
"""

import logging
from itertools import takewhile

from msgspec.structs import replace

from tailer.change_ids import ID_LIMIT
from tailer.model import Batch, Checkpoint

TOKEN_LIMIT = ID_LIMIT  # characters; the record has other fields, and DynamoDB counts 409,600 bytes for all of them

log = logging.getLogger(__name__)


class KeptPositions:
    """
    The position to keep after each batch: the server's token, or where that is too long, the cluster time of the last change.

    A stream that starts at a cluster time reads every change of that time again, several where they are of one transaction. So
    the number kept with it is the one before the first of them: read again, they get the numbers and ids that they had.
    """

    def __init__(self, start: Checkpoint) -> None:
        self._by_time = start  # from here on every change of the last cluster time is read again
        self._time = start.cluster_time
        self._said = False

    def after(self, batch: Batch) -> Checkpoint:
        """Nothing after this position is lost, and nothing is read again under another number."""
        self._follow(batch)
        token = batch.checkpoint.token
        if token is None or len(token) <= TOKEN_LIMIT:
            return batch.checkpoint
        if not self._said:
            self._said = True
            log.warning(
                "the resume token has %d characters, and a checkpoint keeps at most %d: the token contains the document's _id. "
                "Until a shorter token arrives, the checkpoint keeps the cluster time instead. Nothing is lost; a restart may "
                "send some changes again, with the same ids",
                *(len(token), TOKEN_LIMIT),
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
        self._by_time = replace(batch.checkpoint, token=None, cluster_time=time, sequence=same[-1].sequence - 1)
