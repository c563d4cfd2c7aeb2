"""The changes of a stream with the numbers that its tailer gives them: a second reader of the same change stream."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Self

import msgspec

from tailer.encoded import as_json
from tailer.errors import TailerError, Unavailable
from tailer.model import Checkpoint
from tailer.parts import Parts
from tailrace.change import Change
from tailrace.wire import change as wire
from tailrace.wire.message import group_id

POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class SeenChange:
    """A change of the database, in its stream and message group. ``json`` is the change as it is sent."""

    stream: str
    generation: int
    group: str
    change: Change
    json: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def position(self) -> tuple[int, int]:
        return self.generation, self.change.sequence


class ChangeReader:
    """
    ``with ChangeReader(parts) as reader:`` reads the stream of these parts in a thread, from the checkpoint of its tailer.

    The same checkpoint yields the same changes with the same numbers, so each change is recognised in what the forwarder made
    of it. ``report`` is called with a sentence if the changes cannot be read.
    """

    def __init__(self, parts: Parts, report: Callable[[str], None]) -> None:
        self._parts = parts
        self._report = report
        self._seen: SimpleQueue[SeenChange] = SimpleQueue()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"changes of {self.stream}", daemon=True)

    @property
    def stream(self) -> str:
        return self._parts.settings.stream

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._parts.source.interrupt()
        self._thread.join(timeout=5)

    def seen(self) -> Iterator[SeenChange]:
        """Yield the changes that were read since the last call."""
        with suppress(Empty):
            while True:
                yield self._seen.get_nowait()

    def _read(self) -> None:
        checkpoint = self._first()
        while checkpoint and not self._leaving.is_set():
            try:
                checkpoint = self._read_from(checkpoint)
            except TailerError as error:
                if self._leaving.is_set():
                    return
                self._report(f"the changes of {self.stream} are not shown: {error}")
                if not isinstance(error, Unavailable):
                    return
                self._leaving.wait(1)

    def _first(self) -> Checkpoint | None:
        """Return the checkpoint of the tailer, once there is one. None: the block has ended before."""
        while not self._leaving.wait(POLL_SECONDS):
            record = self._parts.store.read(self.stream)
            if record and record.checkpoint:
                return record.checkpoint
        return None

    def _read_from(self, checkpoint: Checkpoint) -> Checkpoint:
        with closing(self._parts.source.batches(checkpoint)) as batches:
            for batch in batches:
                checkpoint = batch.checkpoint
                for change in batch.changes:
                    self._seen.put(self._as_seen(change, checkpoint.generation))
                if self._leaving.is_set():
                    break
        return checkpoint

    def _as_seen(self, change: wire.Change, generation: int) -> SeenChange:
        json, lane = as_json(change), self._parts.lane_of(change)
        return SeenChange(
            stream=self.stream,
            generation=generation,
            group=group_id(self.stream, lane),
            change=msgspec.json.decode(json, type=Change),
            json=json,
        )
