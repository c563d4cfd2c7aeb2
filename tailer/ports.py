"""The ports of the loop: what it requires of a source, a sink and a checkpoint store. An adapter is one file per server."""

from collections.abc import Callable, Generator, Sequence
from typing import Protocol

from tailer.model import Batch, Checkpoint, Record
from tailer.read_limits import ReadLimits
from tailrace.wire.change import Change, Claim


class Source(Protocol):
    def batches(self, after: Checkpoint, limits: ReadLimits) -> Generator[Batch]:
        """
        Yield every change after the checkpoint, in the order of the server's commits. The first change has the number
        ``after.sequence + 1``. The same checkpoint yields the same changes with the same numbers and ids.

        An idle source yields an empty batch about once a second. Its checkpoint moves if the server reports a new position. A
        server that scans its history may take much longer. The source reserves memory in ``limits`` before it uses the memory.
        Closing the generator leaves nothing open on the server.

        Raises:
            Unavailable: the server or the network failed; open the stream again at the last checkpoint.
            HistoryLost: the server no longer has the history after the checkpoint.
            Rejected: the server has a change that it cannot send.
            Undeliverable: a change can never be delivered, and TAILER_ON_POISON is stop.
            Misconfigured: the server refuses to open this stream; the message names the setting.
            Closed: ``limits`` were closed.
        """

    def first(self) -> Checkpoint:
        """
        Return the position at which a stream without a checkpoint starts.

        Raises:
            Unavailable: the server or the network failed.
            Misconfigured: the server has no such position; the message names the setting.
        """

    def oldest(self) -> str | None:
        """
        Return the cluster time at which the server's history begins. None if that is unknown.

        Raises:
            Unavailable: the server or the network failed.
        """

    def outstanding(self) -> float | None:
        """Return for how many seconds a read has been waiting for the server. None if none is, or if that is unknown."""

    def interrupt(self) -> None:
        """Make an outstanding read fail soon, whichever thread waits for it. Return at once."""


class Sink(Protocol):
    def send(self, changes: Sequence[Change], generation: int, packed: Callable[[], object] = lambda: None) -> None:
        """
        Return only once every change is durably accepted, in order within its lane. ``packed`` is called once, after everything
        that takes memory and before the first call to the queue.

        Sending a change again is allowed and harmless: a repeat carries the same ids.

        Raises:
            Unavailable: the queue or the claim store failed; resume from the checkpoint. Some changes may have been accepted.
            Rejected: the queue will never accept this; the message names the change.
            Undeliverable: a change can never be delivered, and TAILER_ON_POISON is stop.
            Misconfigured: the queue or the claim store does not exist or denies access; the message names the setting.
        """


class Claims(Protocol):
    def store(self, key: str, content: bytes) -> Claim:
        """
        Durably store the content under the key, and return where a reader finds it. Storing it again changes nothing.

        Raises:
            Unavailable: the store does not respond.
            Misconfigured: the store does not exist or denies access; the message names the setting.
        """


class CheckpointStore(Protocol):
    def read(self, stream: str) -> Record | None:
        """
        Return the stream's record as last written. None if it was never written.

        Raises:
            Unavailable: the store does not respond.
            Misconfigured: the store does not exist or denies access; the message names the setting.
        """

    def write(self, record: Record) -> None:
        """
        Durably replace the version ``record.version - 1`` by this record, or change nothing. Version 0 means that there is no
        record yet.

        Raises:
            Conflict: the stored version is another one: another task wrote, or the response to an own earlier write was lost.
            Unavailable: the store does not respond; the record may or may not have been written.
            Rejected: the record is too large for the store.
            Misconfigured: as ``read``.
        """


class Conflict(Exception):
    """The record was not written, because the stored version is not the one before it."""
