"""No thread of a task ends by an error that nobody foresaw, and none hides one."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from devstack.loopback import HOST, free_port, get
from tailer import background, deadline
from tailer.checkpoints.candidate import LeaseCandidate
from tailer.health.health import Health
from tailer.health.http import endpoints
from tailer.health.server import BoundedServer
from tailer.metrics import emf
from tailer.metrics.emf import emf_lines
from tailer.metrics.prometheus import Families, Metrics
from tailer.model import Batch, Checkpoint, Record
from tailer.position import At
from tailer.read_limits import ReadLimits
from tailer.stores.memory import MemoryCheckpoints
from tailer.streaming import headroom
from tailer.streaming.headroom import HeadroomWatch
from tailer.streaming.prefetch import prefetched
from tests.samples.changes import ORIGIN

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class Unforeseen(Exception):
    """Of no kind that any code of ours knows."""


class Fails:
    """Raises the first time, and then does what it stands for."""

    def __init__(self, work: Callable[..., object] = lambda *_, **__: None) -> None:
        self._work = work
        self.calls = 0

    def __call__(self, *given: object, **named: object) -> object:
        self.calls += 1
        if self.calls == 1:
            raise Unforeseen("nobody thought of this")
        return self._work(*given, **named)

    def wait(self) -> None:
        """Until it was called again; the test's own time limit ends the wait."""
        while self.calls < 2:
            time.sleep(0.005)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "PAUSE", 0.01)
    monkeypatch.setattr(emf, "EVERY", 0.02)
    monkeypatch.setattr(headroom, "EVERY", 0.02)


@pytest.fixture
def reported(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The threads of which the log says that they failed, with the error."""
    return lambda: [
        record.__dict__["background"]
        for record in caplog.records
        if record.__dict__.get("action") == "thread_failed" and record.exc_info and record.exc_info[0] is Unforeseen
    ]


def test_the_metrics_go_on(monkeypatch: pytest.MonkeyPatch, reported: Callable[[], list[str]]) -> None:
    """A minute's lines are missing, not all that follow."""
    fails = Fails()
    monkeypatch.setattr(emf.EmfLines, "write", lambda _: fails())
    with emf_lines("Tailrace/test", Families(), now=lambda: NOW):
        fails.wait()
    assert reported() == ["emf"]


def test_the_last_metrics_do_not_hide_how_a_task_ended(
    monkeypatch: pytest.MonkeyPatch, reported: Callable[[], list[str]]
) -> None:
    """What cannot be written at the end is logged, and the task's own error is raised."""

    def never(_: object) -> None:
        raise Unforeseen

    monkeypatch.setattr(emf, "EVERY", 60.0)
    monkeypatch.setattr(emf.EmfLines, "write", never)
    with pytest.raises(KeyError), emf_lines("Tailrace/test", Families(), now=lambda: NOW):
        raise KeyError
    assert reported() == ["emf"]


def test_headroom_goes_on(reported: Callable[[], list[str]]) -> None:
    """It would be unknown for ever, and its alarm with it."""

    class Source:
        def __init__(self) -> None:
            self.oldest = Fails(lambda: "400.1")
            self.checkpoint = Checkpoint(position=At("1000.7"))

    source, metrics = Source(), Metrics("payments", Families())
    with HeadroomWatch(source, source, metrics, history_seconds=0, now=lambda: NOW):  # type: ignore[arg-type]
        source.oldest.wait()
    assert reported() == ["headroom"]


def test_renewing_a_lease_goes_on() -> None:
    """Or another task would take a stream that is tailed well."""
    fails = Fails(MemoryCheckpoints.write)

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


def test_the_endpoints_go_on(monkeypatch: pytest.MonkeyPatch, reported: Callable[[], list[str]]) -> None:
    """Or ECS would end a task that does what it should."""
    fails = Fails(BoundedServer.serve_forever)
    monkeypatch.setattr(BoundedServer, "serve_forever", lambda self, poll: fails(self, poll))
    port = free_port()
    with endpoints(HOST, port, Health(clock=time.monotonic, now=lambda: NOW), Families()):
        fails.wait()
        assert get(port, "/healthz")[0] == 200
    assert reported() == ["http"]


def test_a_page_that_cannot_be_made_is_an_response(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says where to look, and the log says why."""
    port, families = free_port(), Families()
    monkeypatch.setattr(families, "text", Fails(lambda: b"figures"))
    with endpoints(HOST, port, Health(clock=time.monotonic, now=lambda: NOW), families):
        assert get(port, "/metrics") == (500, '{"status":500,"error":"see the log"}\n')
        assert get(port, "/metrics") == (200, "figures")
    assert "nobody thought of this" in caplog.text


@pytest.mark.parametrize("where", ["read", "closed"])
def test_reading_ahead_hands_its_error_to_the_loop(where: str) -> None:
    """The loop would else wait for a batch that never comes."""

    class Reader:
        def __iter__(self) -> Iterator[Batch]:
            yield Batch(changes=(), checkpoint=ORIGIN)
            if where == "read":
                raise Unforeseen

    class Closing:
        def __init__(self) -> None:
            self._batches = iter(Reader())

        def __iter__(self) -> "Closing":
            return self

        def __next__(self) -> Batch:
            return next(self._batches)

        def close(self) -> None:
            if where == "closed":
                raise Unforeseen

    batches = prefetched(Closing(), threading.Event(), ReadLimits())
    next(batches)
    with pytest.raises(Unforeseen):
        next(batches)


def test_a_task_ends_in_time_though_it_can_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no other thread can be started, the end comes all the same."""
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    stopping = threading.Event()
    deadline.keep_deadline(stopping, seconds=0.0, end=ended.put)

    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_more)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    stopping.set()
    assert ended.get(timeout=60) == 0
