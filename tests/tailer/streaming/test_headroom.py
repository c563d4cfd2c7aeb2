"""Headroom, the history that is left, comes from the server or from a setting, and is unknown otherwise."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import isnan

import pytest

from tailer.errors import Unavailable
from tailer.history import headroom, history
from tailer.metrics.prometheus import Families, Metrics
from tailer.model import At, Checkpoint
from tailer.streaming.headroom import HeadroomWatch
from tailrace.metrics import TAILER

CHECKPOINT = Checkpoint(position=At("1000.7"))
NOW = datetime.fromtimestamp(1500, tz=UTC)


class FakeHistory:
    """A source with this oldest history, or with an unknown one."""

    def __init__(self, oldest: str | None) -> None:
        self._oldest = oldest

    def oldest(self) -> str | None:
        return self._oldest


@pytest.mark.parametrize(
    ("oldest", "setting", "expected"),
    [("400.1", 0, 600.0), ("400.1", 3600, 600.0), (None, 3600, 3600.0 - 500.0), (None, 0, None), ("1100.1", 0, -100.0)],
)
def test_headroom(oldest: str | None, setting: int, expected: float | None) -> None:
    """The distance of the checkpoint from the oldest history. Below zero the position is lost."""
    kept = history(FakeHistory(oldest), history_seconds=setting, now=NOW)  # type: ignore[arg-type]
    assert headroom(kept, CHECKPOINT, NOW) == expected


@pytest.mark.parametrize(("oldest", "setting", "expected"), [("400.1", 3600, 1100.0), (None, 3600, 3600.0), (None, 0, None)])
def test_history_is_all_that_the_server_keeps(oldest: str | None, setting: int, expected: float | None) -> None:
    """Headroom is the part that is left."""
    assert history(FakeHistory(oldest), history_seconds=setting, now=NOW) == expected  # type: ignore[arg-type]


class MonitoredStream:
    """A source, a lease and the metrics that a watch updates."""

    def __init__(self, oldest: Callable[[], str | None], checkpoint: Checkpoint | None = CHECKPOINT) -> None:
        self.oldest, self.checkpoint = oldest, checkpoint
        self.families = Families()
        metrics = Metrics("payments", self.families)
        self.watch = HeadroomWatch(self, self, metrics, history_seconds=0, now=lambda: NOW)  # type: ignore[arg-type]

    @property
    def metrics(self) -> tuple[float, float]:
        headroom, history = (self.families.value(TAILER[name], "payments") for name in ("Headroom", "History"))
        return headroom, history


def test_watch_reports_headroom_and_history_until_it_ends() -> None:
    """A task that no longer tails the stream reports neither."""
    watched = MonitoredStream(lambda: "400.1")
    with watched.watch:
        while isnan(watched.metrics[1]):
            time.sleep(0.001)
        assert watched.metrics == (600, 1100)
    assert [isnan(metric) for metric in watched.metrics] == [True, True]


def test_read_that_ends_after_the_watch_reports_nothing() -> None:
    """A standby would report the old value for ever."""
    asked, answered = threading.Event(), threading.Event()

    def slow() -> str:
        asked.set()
        answered.wait(60)
        return "400.1"

    watched, others = MonitoredStream(slow), set(threading.enumerate())  # Threads of other tests may still be ending.
    with watched.watch:
        [looking] = {thread for thread in threading.enumerate() if thread.name == "headroom"} - others
        assert asked.wait(60)
    answered.set()
    looking.join()
    assert [isnan(metric) for metric in watched.metrics] == [True, True]


def test_only_history_is_known_before_the_first_checkpoint() -> None:
    """Nothing was delivered, so nothing can be lost."""
    watched = MonitoredStream(lambda: "400.1", checkpoint=None)
    with watched.watch:
        while isnan(watched.metrics[1]):
            time.sleep(0.001)
        assert isnan(watched.metrics[0])


def test_unavailable_server_leaves_headroom_and_history_unknown() -> None:
    """An old value would hide that headroom shrinks."""
    asked: list[bool] = []

    def down() -> str:
        asked.append(True)
        raise Unavailable("nobody answers")

    watched = MonitoredStream(down)
    with watched.watch:
        while not asked:
            time.sleep(0.001)
        assert [isnan(metric) for metric in watched.metrics] == [True, True]
