"""What the loop asks of its neighbours. An adapter is one file, named for the neighbour it talks to."""

from collections.abc import Callable, Generator, Sequence
from typing import Protocol

from tailer.model import Batch, Checkpoint, Record
from tailer.pace import Pace
from tailrace.wire.change import Change, Claim


class Source(Protocol):
    def batches(self, after: Checkpoint, pace: Pace) -> Generator[Batch]:
        """
        Every change after the checkpoint, in the order the server committed them, numbered on from its sequence. Closing it
        leaves nothing open on the server. ``pace`` is asked before memory is taken.

        When nothing arrives it yields an empty batch about once a second, whose checkpoint has moved on where the server says
        so. A server that looks through history may answer a read much later. The same checkpoint gives the same changes with
        the same numbers and ids.

        Raises:
            Unavailable: the server or the network failed; open again from the last checkpoint.
            HistoryLost: the server no longer has what follows the checkpoint.
            Rejected: the server holds a change that it cannot deliver.
            Misconfigured: the server refuses to watch this at all; the message names the setting.
        """

    def first(self) -> Checkpoint:
        """
        Where a stream without a checkpoint starts.

        Raises: as ``batches``.
        """

    def oldest(self) -> str | None:
        """
        The cluster time at which the server's history begins; nothing where it cannot be told.

        Raises:
            Unavailable: the server or the network failed.
        """

    def outstanding(self) -> float | None:
        """For how many seconds the server has owed the reply to a read; nothing where it owes none, or that is unknown."""

    def interrupt(self) -> None:
        """Let a read that is outstanding fail soon, whichever thread waits for it. Returns at once."""


class Sink(Protocol):
    def send(self, changes: Sequence[Change], generation: int, packed: Callable[[], object] = lambda: None) -> None:
        """
        Return only once every change is durably accepted, in order within its lane. ``packed`` is called once all is done that
        takes memory, before the queue is waited for.

        Sending a change again is allowed and harmless: a repeat carries the same ids.

        Raises:
            Unavailable: nothing is known to be lost; the caller resumes from its checkpoint.
            Rejected: the queue will never take this; the message names the change.
        """


class Claims(Protocol):
    def store(self, key: str, content: bytes) -> Claim:
        """
        Durably keep the content under the key, and say where a reader finds it. Storing it again changes nothing.

        Raises:
            Unavailable: the store does not answer.
            Misconfigured: the store does not exist or refuses us; the message names the setting.
        """


class CheckpointStore(Protocol):
    def read(self, stream: str) -> Record | None:
        """
        The stream's record as last written, or nothing if it was never written.

        Raises:
            Unavailable: the store does not answer.
            Misconfigured: the store does not exist or refuses us; the message names the setting.
        """

    def write(self, record: Record) -> None:
        """
        Durably replace the version before ``record.version`` (0: none) by this record, or change nothing at all.

        Raises:
            Conflict: the stored version is another one: somebody else wrote, or our own earlier answer was lost.
            Unavailable: the store does not answer; the record may or may not have been written.
            Misconfigured: as ``read``.
        """


class Conflict(Exception):
    """The record was not written, because the stored version is not the one before it."""
