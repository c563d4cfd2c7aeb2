"""Tailers of one stream in this process, each with its own cluster or settings."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tailer import app
from tailer.model import Record
from tailer.parts import Parts
from tailer.settings.settings import load


class Tailers:
    """Tailers of one stream. ``set`` applies to those that start after it."""

    def __init__(self, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
        self._threads, self._monkeypatch, self._stream = threads, monkeypatch, stream
        self.running: list[threading.Event] = []

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self._monkeypatch.setenv(f"TAILER_{name.upper()}", value)

    def start(self, **settings: str) -> "tuple[Future[None], threading.Event]":
        """Start a tailer; return a future of its end and the event that stops it."""
        self.set(**settings)
        stopping = threading.Event()
        self.running.append(stopping)
        return self._threads.submit(app.run, [Parts(one) for one in load()], stopping), stopping

    def run(self, seen: Callable[[], bool], **settings: str) -> None:
        """Run a tailer until the condition holds, and stop it cleanly. Raises: the error that ended it before."""
        ended, stopping = self.start(**settings)
        self.wait(ended, seen)
        stopping.set()
        ended.result()

    def wait(self, ended: "Future[None]", seen: Callable[[], bool]) -> None:
        while not seen():
            if ended.done():
                ended.result()
                raise AssertionError("the tailer ended before it showed that")
            time.sleep(0.02)

    @property
    def record(self) -> Record:
        """Return the stored record."""
        return Parts(load()[0]).store.read(self._stream) or Record(stream=self._stream)

    def opened(self) -> bool:
        """Whether there is a checkpoint."""
        return self.record.checkpoint is not None

    def delivered(self) -> bool:
        return self.record.delivered
