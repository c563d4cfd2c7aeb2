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
from tailrace.dev.workspace import StartFailed
from tailrace.wire import change as wire
from tailrace.wire.message import group_id

POLL_SECONDS = 0.1
CHECKPOINT_SECONDS = 60.0


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
    ``with ChangeReader(parts, report) as reader:`` reads the stream of these parts in a thread. It begins at the checkpoint of
    its tailer, which it waits for, so a change after that is never missed.

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
        self._checkpoint = self._first()
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
        while not self._leaving.is_set():
            try:
                self._read_on()
            except TailerError as error:
                if self._leaving.is_set():
                    return
                self._report(f"the changes of {self.stream} are not shown: {error}")
                if not isinstance(error, Unavailable):
                    return
                self._leaving.wait(1)

    def _first(self) -> Checkpoint:
        """Return the checkpoint of the tailer, which stores it after the first reply of the server."""
        deadline = time.monotonic() + CHECKPOINT_SECONDS
        while time.monotonic() < deadline:
            record = self._parts.store.read(self.stream)
            if record and record.checkpoint:
                return record.checkpoint
            time.sleep(POLL_SECONDS)
        raise StartFailed(f"the tailer of {self.stream} stored no checkpoint within {CHECKPOINT_SECONDS:g} s")

    def _read_on(self) -> None:
        with closing(self._parts.source.batches(self._checkpoint)) as batches:
            for batch in batches:
                for change in batch.changes:
                    self._seen.put(self._as_seen(change, batch.checkpoint.generation))
                self._checkpoint = batch.checkpoint
                if self._leaving.is_set():
                    break

    def _as_seen(self, change: wire.Change, generation: int) -> SeenChange:
        json, lane = as_json(change), self._parts.lane_of(change)
        return SeenChange(
            stream=self.stream,
            generation=generation,
            group=group_id(self.stream, lane),
            change=msgspec.json.decode(json, type=Change),
            json=json,
        )
