"""An unexpected error never ends a background thread of a task, and is never hidden."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from tailer import background, deadline
from tailer.checkpoints.candidate import LeaseCandidate
from tailer.health.health import Health
from tailer.health.http import endpoints
from tailer.health.server import BoundedServer
from tailer.metrics import emf
from tailer.metrics.emf import emf_lines
from tailer.metrics.prometheus import Families, Metrics
from tailer.model import At, Batch, Checkpoint, Record
from tailer.read_limits import ReadLimits
from tailer.stores.memory import MemoryCheckpoints
from tailer.streaming import headroom
from tailer.streaming.headroom import HeadroomWatch
from tailer.streaming.prefetch import prefetched
from tailrace.dev.loopback import HOST, free_port, get
from tests.samples.changes import ORIGIN

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class UnexpectedError(Exception):
    """An error that no code of ours handles."""


class FailingOnce:
    """Raise at the first call, and then do the work."""

    def __init__(self, work: Callable[..., object] = lambda *_, **__: None) -> None:
        self._work = work
        self.calls = 0

    def __call__(self, *given: object, **named: object) -> object:
        self.calls += 1
        if self.calls == 1:
            raise UnexpectedError("nobody thought of this")
        return self._work(*given, **named)

    def wait(self) -> None:
        """Wait until it was called again; the test's own timeout ends the wait."""
        while self.calls < 2:
            time.sleep(0.005)


@pytest.fixture(autouse=True)
def _short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "PAUSE", 0.01)
    monkeypatch.setattr(emf, "EVERY", 0.02)
    monkeypatch.setattr(headroom, "EVERY", 0.02)


@pytest.fixture
def reported_threads(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return the threads whose errors were logged."""
    return lambda: [
        record.__dict__["background"]
        for record in caplog.records
        if record.__dict__.get("action") == "thread_failed" and record.exc_info and record.exc_info[0] is UnexpectedError
    ]


def test_metrics_continue_after_an_unexpected_error(
    monkeypatch: pytest.MonkeyPatch, reported_threads: Callable[[], list[str]]
) -> None:
    fails = FailingOnce()
    monkeypatch.setattr(emf.EmfLines, "write", lambda _: fails())
    with emf_lines("Tailrace/test", Families(), now=lambda: NOW):
        fails.wait()
    assert reported_threads() == ["emf"]


def test_failed_last_metrics_do_not_hide_the_tasks_error(
    monkeypatch: pytest.MonkeyPatch, reported_threads: Callable[[], list[str]]
) -> None:
    def never(_: object) -> None:
        raise UnexpectedError

    monkeypatch.setattr(emf, "EVERY", 60.0)
    monkeypatch.setattr(emf.EmfLines, "write", never)
    with pytest.raises(KeyError), emf_lines("Tailrace/test", Families(), now=lambda: NOW):
        raise KeyError
    assert reported_threads() == ["emf"]


def test_headroom_continues_after_an_unexpected_error(reported_threads: Callable[[], list[str]]) -> None:
    """It would be unknown for ever."""

    class Source:
        def __init__(self) -> None:
            self.oldest = FailingOnce(lambda: "400.1")
            self.checkpoint = Checkpoint(position=At("1000.7"))

    source, metrics = Source(), Metrics("payments", Families())
    with HeadroomWatch(source, source, metrics, history_seconds=0, now=lambda: NOW):  # type: ignore[arg-type]
        source.oldest.wait()
    assert reported_threads() == ["headroom"]


def test_lease_renewal_continues_after_an_unexpected_error() -> None:
    """Another task would take over the stream."""
    fails = FailingOnce(MemoryCheckpoints.write)

    class Store(MemoryCheckpoints):
        failing = False

        def write(self, record: Record) -> None:
            if self.failing:
                fails(self, record)
            else:
                super().write(record)

    store = Store()
    lease = LeaseCandidate(
        store, stream="payments", identity="{}", owner="one", seconds=0.03, clock=time.monotonic, now=lambda: NOW
    ).try_acquire()
    assert lease
    store.failing = True
    with lease:
        fails.wait()
        store.failing = False


def test_endpoints_continue_after_an_unexpected_error(
    monkeypatch: pytest.MonkeyPatch, reported_threads: Callable[[], list[str]]
) -> None:
    """ECS would end a healthy task."""
    fails = FailingOnce(BoundedServer.serve_forever)
    monkeypatch.setattr(BoundedServer, "serve_forever", lambda self, poll: fails(self, poll))
    port = free_port()
    with endpoints(HOST, port, Health(clock=time.monotonic, now=lambda: NOW), Families()):
        fails.wait()
        assert get(port, "/healthz")[0] == 200
    assert reported_threads() == ["http"]


def test_failed_page_is_a_500_and_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    port, families = free_port(), Families()
    monkeypatch.setattr(families, "text", FailingOnce(lambda: b"figures"))
    with endpoints(HOST, port, Health(clock=time.monotonic, now=lambda: NOW), families):
        assert get(port, "/metrics") == (500, '{"status":500,"error":"see the log"}\n')
        assert get(port, "/metrics") == (200, "figures")
    assert "nobody thought of this" in caplog.text


@pytest.mark.parametrize("where", ["read", "closed"])
def test_error_of_the_prefetch_is_raised_in_the_loop(where: str) -> None:
    """The loop would otherwise wait for ever."""

    class Reader:
        def __iter__(self) -> Iterator[Batch]:
            yield Batch(changes=(), checkpoint=ORIGIN)
            if where == "read":
                raise UnexpectedError

    class Closing:
        def __init__(self) -> None:
            self._batches = iter(Reader())

        def __iter__(self) -> "Closing":
            return self

        def __next__(self) -> Batch:
            return next(self._batches)

        def close(self) -> None:
            if where == "closed":
                raise UnexpectedError

    batches = prefetched(Closing(), threading.Event(), ReadLimits())
    next(batches)
    with pytest.raises(UnexpectedError):
        next(batches)


def test_task_ends_in_time_when_no_thread_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    stopping = threading.Event()
    deadline.keep_deadline(stopping, seconds=0.0, end=ended.put)

    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_more)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    stopping.set()
    assert ended.get(timeout=60) == 0
