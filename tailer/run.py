"""Stand by until the lease is ours, tail until asked to stop; when a neighbour fails, wait and go on from the checkpoint."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_exponential_jitter,
)

from tailer.errors import LeaseLost, Unavailable
from tailer.lease import Contender, Lease
from tailer.metrics import Metrics
from tailer.ports import Sink, Source
from tailer.pulse import Pulse
from tailer.tail import tail

T = TypeVar("T")

log = logging.getLogger(__name__)

LOOK_AT_LEASE = 1.0  # seconds between two looks of a task that stands by
_WAIT = wait_exponential_jitter(multiplier=0.2, max=30.0)  # seconds, while a neighbour fails again and again
_BREATH = 1.0  # seconds after a failure that followed some progress


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task, tailing one stream or standing by for it."""

    source: Source
    sink: Sink
    contender: Contender
    ready: Callable[[], None]
    stopping: threading.Event
    pulse: Pulse
    metrics: Metrics

    def run(self) -> None:
        """
        Work until ``stopping`` is set. ``ready`` is asked once, before anything is touched.

        Raises:
            Rejected: somebody has to look.
            Misconfigured: a setting is wrong.
        """
        try:
            self._patiently(self.ready)
            while not self.stopping.is_set():
                if lease := self._patiently(self._stand_by):
                    self._on_duty(lease)
        except Unavailable:
            if not self.stopping.is_set():
                raise

    def _stand_by(self) -> Lease | None:
        while not self.stopping.is_set():
            if lease := self.contender.try_acquire():
                log.info("this task tails the stream now", extra={"action": "lease_acquired", "checkpoint": lease.checkpoint})
                return lease
            if self.pulse.state != "standing by":
                log.info("another task tails the stream; standing by", extra={"action": "standing_by"})
            self.pulse.standing_by()
            self.stopping.wait(LOOK_AT_LEASE)
        return None

    def _on_duty(self, lease: Lease) -> None:
        try:
            with lease:
                while not self.stopping.is_set():
                    self._patiently(self._tail, lease)
        except LeaseLost as error:
            log.warning("%s", error, extra={"action": "lease_lost"})
        finally:
            log.info("this task lets go of the stream", extra={"action": "released", "checkpoint": lease.checkpoint})

    def _tail(self, lease: Lease) -> None:
        """Until stopped, or until a neighbour fails: raising only when there was no progress, so that waits grow."""
        if lease.checkpoint is None:
            lease.save(self.source.first())
        after = lease.checkpoint
        assert after is not None  # noqa: S101 - saved just above
        try:
            tail(self.source, self.sink, lease, after=after, stopping=self.stopping, delivered=self.pulse.delivered)
        except Unavailable as error:
            self.metrics.reconnects.inc()
            if lease.checkpoint is after:
                raise
            self._say(error, _BREATH)
            self.stopping.wait(_BREATH)

    def _patiently(self, action: Callable[..., T], *args: object) -> T:
        """Try until it does not raise ``Unavailable``, waiting longer each time; no longer than asked to stop."""
        retrying = Retrying(
            retry=retry_if_exception_type(Unavailable),
            wait=_WAIT,
            stop=stop_when_event_set(self.stopping),
            sleep=sleep_using_event(self.stopping),
            before_sleep=self._before_sleep,
            reraise=True,
        )
        return retrying(action, *args)

    def _before_sleep(self, state: RetryCallState) -> None:
        if state.outcome is not None and state.next_action is not None:
            self._say(state.outcome.exception(), state.next_action.sleep)

    def _say(self, error: BaseException | None, seconds: float) -> None:
        self.pulse.waiting(str(error))
        log.warning("%s; trying again in %.1f s", error, seconds, extra={"action": "waiting"})
