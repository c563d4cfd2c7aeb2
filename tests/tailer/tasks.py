"""Tailers in this process that write metrics every few moments, with their own loop and real services."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from devstack import DevStack
from tailer import app
from tailer.metrics import emf
from tailer.parts import Parts
from tailer.settings.settings import load
from tailer.streaming import headroom
from tests.emf import Line, lines

OFTEN = 0.1  # seconds

Start = Callable[[str], "Task"]
"""Starts a task whose lines are told from those of others by this owner's name."""


class Task:
    """One tailer and its metrics so far."""

    def __init__(self, namespace: str, ended: "Future[None]", stopping: threading.Event, log: Callable[[], list[Line]]) -> None:
        self.stopping = stopping
        self._namespace, self._ended, self._log = namespace, ended, log

    def lines(self, stream: str) -> list[Line]:
        """Return the lines of a stream, or with an empty name those of the task."""
        of_this_task = [line for line in self._log() if line.namespace == self._namespace]
        return [line for line in of_this_task if line.dimensions.get("Stream", "") == stream]

    def wait(self, stream: str, seen: Callable[[Line], bool]) -> Line:
        """Return the first matching line; the test's own timeout ends the wait."""
        while not (found := [line for line in self.lines(stream) if seen(line)]):
            if self._ended.done():
                raise AssertionError("the task ended before it showed that") from self._ended.exception()
            time.sleep(OFTEN)  # The tasks run in threads of this process.
        return found[0]

    def stop(self) -> None:
        """Stop as SIGTERM does. Raises: the error that ended the task."""
        self.stopping.set()
        self._ended.result()


@contextmanager
def tasks(
    stack: DevStack, queue_url: str, stream: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Start]:
    """Return a function that starts a task on this stream, which watches the database of the same name."""
    monkeypatch.setattr(emf, "EVERY", OFTEN)
    monkeypatch.setattr(headroom, "EVERY", OFTEN)
    for name, value in stack.environment_of(stream, queue_url=queue_url, http_port=0).items():
        monkeypatch.setenv(name, value)
    log: list[Line] = []

    def all_of_it() -> list[Line]:
        log.extend(lines(capsys.readouterr().out))
        return log

    running: list[Task] = []
    with ThreadPoolExecutor(4) as threads:

        def start(namespace: str) -> Task:
            monkeypatch.setenv("TAILER_EMF_NAMESPACE", namespace)
            stopping = threading.Event()
            running.append(
                Task(namespace, threads.submit(app.run, [Parts(one) for one in load()], stopping), stopping, all_of_it)
            )
            return running[-1]

        try:
            yield start
        finally:
            for task in running:
                task.stopping.set()
