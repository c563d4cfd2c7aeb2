"""One task: waits on standby for a lease, tails until asked to stop, and gives up a stream that only a person can fix."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tailer.checkpoints.lease import Lease
from tailer.errors import LeaseLost, Misconfigured, Rejected, Unavailable
from tailer.health.health import STANDING_BY, Health
from tailer.stored_form import stored_checkpoint
from tailer.streaming.headroom import HeadroomWatch
from tailer.streaming.retry import Retry
from tailer.streaming.runner import StreamRunner
from tailer.streaming.stream import Stream
from tailer.times import rfc3339

log = logging.getLogger(__name__)

LEASE_CHECK_INTERVAL = 0.5  # seconds between two reads of a lease by a standby


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task, tailing one of its streams at a time or standing by for all of them."""

    streams: Sequence[Stream]
    stopping: threading.Event
    health: Health
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _checked: set[str] = field(default_factory=set)

    def run(self) -> None:
        """
        Work until ``stopping`` is set. A stream that only a person can fix is given up until its record shows a decision; the
        other streams continue. If there is no other, its error is raised.
        """
        streams = list(self.streams)
        for stream in streams:
            self.health.add(stream.metrics)
        try:
            while not self.stopping.is_set():
                if found := self._retry.keep_trying(self._stand_by, streams):
                    self._tail(*found, streams)
        except Unavailable:
            if not self.stopping.is_set():
                raise

    def _stand_by(self, streams: list[Stream]) -> tuple[Stream, Lease] | None:
        while not self.stopping.is_set():
            unreadable: dict[str, Unavailable] = {}
            self._resume_decided(streams)
            for stream in list(streams):
                try:
                    if lease := self._try_acquire(stream):
                        return stream, lease
                except Unavailable as error:
                    unreadable[stream.name] = error
                except Misconfigured as error:
                    self._give_up(stream, None, error, streams)
            if len(unreadable) == len(streams):
                raise next(iter(unreadable.values()))
            if self.health.state != STANDING_BY:
                log.info("other tasks tail all streams; this task is on standby", extra={"action": "standing_by"})
            self.health.standing_by(unreadable)
            self.stopping.wait(LEASE_CHECK_INTERVAL)
        return None

    def _try_acquire(self, stream: Stream) -> Lease | None:
        with stream.errors():
            if stream.name not in self._checked:
                stream.ready()
                self._checked.add(stream.name)
            return stream.candidate.try_acquire()

    def _tail(self, stream: Stream, lease: Lease, streams: list[Stream]) -> None:
        log.info("this task tails stream %r now", stream.name, extra=_about(stream, lease, "lease_acquired"))
        self.health.lease_acquired(stream.metrics, lease.checkpoint, lambda: lease.checkpoint_age, lambda: lease.failure)
        try:
            watch = HeadroomWatch(stream.source, lease, stream.metrics, history_seconds=stream.history_seconds, now=self.now)
            with lease, watch:
                StreamRunner(stream, lease, self._retry).run()
        except LeaseLost as error:
            log.warning("%s", error, extra=_about(stream, lease, "lease_lost"))
        except (Rejected, Misconfigured) as error:
            self.health.lease_released()
            self._give_up(stream, lease, error, streams)
        finally:
            self.health.lease_released()
            log.info("this task no longer tails stream %r", stream.name, extra=_about(stream, lease, "released"))

    def _give_up(self, stream: Stream, lease: Lease | None, error: Exception, streams: list[Stream]) -> None:
        self.health.gave_up(stream.name, stream.metrics, lease.checkpoint if lease else None)
        streams.remove(stream)
        if not streams:
            raise error
        log.critical(
            "stream %r has stopped, and this task continues with its other streams: %s",
            *(stream.name, error),
            extra={"action": "stream_stopped", "stream": stream.name, "reason": type(error).__name__},
        )

    def _resume_decided(self, streams: list[Stream]) -> None:
        """
        Add a stream again once a person has cleared the problem from its record. A stream that this task never tailed stays
        given up. If a record cannot be read now, it is read again later.
        """
        tailed = [name for name, after in self.health.given_up.items() if after]
        for stream in self.streams:
            if stream.name in tailed:
                with suppress(Unavailable, Misconfigured):
                    if not stream.candidate.problem():
                        self.health.resumed(stream.name, stream.metrics)
                        streams.append(stream)

    @property
    def _retry(self) -> Retry:
        return Retry(stopping=self.stopping, health=self.health)


def _about(stream: Stream, lease: Lease, action: str) -> dict[str, object]:
    stored, reached = None, None
    if lease.checkpoint:
        stored, reached = stored_checkpoint(lease.checkpoint), rfc3339(lease.checkpoint.reached)
    return {"action": action, "stream": stream.name, "checkpoint": stored, "deliveredUpTo": reached}
