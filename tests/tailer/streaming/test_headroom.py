"""How much history is left: told by the server, or by a setting, or honestly not at all."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import isnan

import pytest

from tailer.errors import Unavailable
from tailer.metrics.prometheus import Families, Metrics
from tailer.model import Checkpoint
from tailer.streaming.headroom import HeadroomWatch, headroom, history
from tailrace.metrics import TAILER

CHECKPOINT = Checkpoint(cluster_time="1000.7")
NOW = datetime.fromtimestamp(1500, tz=UTC)


class History:
    """A source that knows where its history begins, or does not."""

    def __init__(self, oldest: str | None) -> None:
        self._oldest = oldest

    def oldest(self) -> str | None:
        return self._oldest


@pytest.mark.parametrize(
    ("oldest", "setting", "expected"),
    [("400.1", 0, 600.0), ("400.1", 3600, 600.0), (None, 3600, 3600.0 - 500.0), (None, 0, None), ("1100.1", 0, -100.0)],
)
def test_headroom(oldest: str | None, setting: int, expected: float | None) -> None:
    """The checkpoint's distance from the oldest history; below zero it is lost already."""
    assert headroom(History(oldest), CHECKPOINT, history_seconds=setting, now=NOW) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("oldest", "setting", "expected"), [("400.1", 3600, 1100.0), (None, 3600, 3600.0), (None, 0, None)])
def test_history_is_what_the_server_keeps_in_all(oldest: str | None, setting: int, expected: float | None) -> None:
    """The whole, of which headroom is the part that is left."""
    assert history(History(oldest), history_seconds=setting, now=NOW) == expected  # type: ignore[arg-type]


class Watched:
    """What a watch is given: a source, a lease, and the figures it keeps up to date."""

    def __init__(self, oldest: Callable[[], str | None], checkpoint: Checkpoint | None = CHECKPOINT) -> None:
        self.oldest, self.checkpoint = oldest, checkpoint
        self.families = Families()
        metrics = Metrics("payments", self.families)
        self.watch = HeadroomWatch(self, self, metrics, history_seconds=0, now=lambda: NOW)  # type: ignore[arg-type]

    @property
    def metrics(self) -> tuple[float, float]:
        headroom, history = (self.families.value(TAILER[name], "payments") for name in ("Headroom", "History"))
        return headroom, history


def test_a_watch_shows_both_while_it_lasts() -> None:
    """A task that no longer tails the stream does not go on showing what it knew."""
    watched = Watched(lambda: "400.1")
    with watched.watch:
        while isnan(watched.metrics[1]):
            time.sleep(0.001)
        assert watched.metrics == (600, 1100)
    assert [isnan(metric) for metric in watched.metrics] == [True, True]


def test_a_look_that_ends_after_the_watch_shows_nothing() -> None:
    """A server may take its time; a spare would show the figure of that moment for ever."""
    asked, answered = threading.Event(), threading.Event()

    def slow() -> str:
        asked.set()
        answered.wait(60)
        return "400.1"

    watched, others = Watched(slow), set(threading.enumerate())  # those of other tests may still be about to end
    with watched.watch:
        [looking] = {thread for thread in threading.enumerate() if thread.name == "headroom"} - others
        assert asked.wait(60)
    answered.set()
    looking.join()
    assert [isnan(metric) for metric in watched.metrics] == [True, True]


def test_before_the_first_checkpoint_only_the_whole_is_known() -> None:
    """Nothing was delivered, so nothing can be lost."""
    watched = Watched(lambda: "400.1", checkpoint=None)
    with watched.watch:
        while isnan(watched.metrics[1]):
            time.sleep(0.001)
        assert isnan(watched.metrics[0])


def test_a_server_that_does_not_response_leaves_both_unknown() -> None:
    """A figure of before the outage would hide that it shrinks."""
    asked: list[bool] = []

    def down() -> str:
        asked.append(True)
        raise Unavailable("nobody answers")

    watched = Watched(down)
    with watched.watch:
        while not asked:
            time.sleep(0.001)
        assert [isnan(metric) for metric in watched.metrics] == [True, True]
