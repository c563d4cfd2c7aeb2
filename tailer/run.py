"""Stand by until a lease is ours, tail until asked to stop; when a neighbour fails, wait and go on from the checkpoint."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from msgspec.structs import replace
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_exponential_jitter,
)

from contract.change import Namespace
from tailer.contender import Contender
from tailer.errors import EXIT_CODES, HistoryLost, LeaseLost, Misconfigured, Rejected, TailerError, Unavailable
from tailer.gaps import first_start_words, gap_change, history_lost_words
from tailer.headroom import HeadroomWatch
from tailer.lease import Lease
from tailer.metrics import Metrics
from tailer.model import Checkpoint
from tailer.ports import Sink, Source
from tailer.pulse import STANDING_BY, Pulse
from tailer.tail import tail
from tailer.times import rfc3339, seconds

T = TypeVar("T")

log = logging.getLogger(__name__)

LOOK_AT_LEASE = 0.5  # seconds between two looks of a task that stands by
_WAIT = wait_exponential_jitter(multiplier=0.2, max=30.0)  # seconds, while a neighbour fails again and again
_BREATH = 1.0  # seconds after a failure that followed some progress


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One configured stream and all it needs; ``ready`` is asked once, before anything of it is touched."""

    name: str
    ns: Namespace
    source: Source
    sink: Sink
    contender: Contender
    metrics: Metrics
    ready: Callable[[], None] = lambda: None
    history_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task, tailing one of its streams at a time or standing by for all of them."""

    streams: Sequence[Stream]
    stopping: threading.Event
    pulse: Pulse
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _looked_at: set[str] = field(default_factory=set)

    def run(self) -> None:
        """
        Work until ``stopping`` is set. A stream that can only be helped by a person is left alone until its record says that
        one did; the others go on.

        Raises:
            Rejected, Misconfigured: there is no other stream left.
        """
        streams = list(self.streams)
        for stream in streams:
            self.pulse.spare(stream.metrics)
        try:
            while not self.stopping.is_set():
                if found := self._patiently(self._stand_by, streams):
                    self._on_duty(*found, streams)
        except Unavailable:
            if not self.stopping.is_set():
                raise

    def _stand_by(self, streams: list[Stream]) -> tuple[Stream, Lease] | None:
        while not self.stopping.is_set():
            unavailable: dict[str, Unavailable] = {}
            self._take_back(streams)
            for stream in list(streams):
                try:
                    if stream.name not in self._looked_at:
                        stream.ready()
                        self._looked_at.add(stream.name)
                    if lease := stream.contender.try_acquire():
                        return stream, lease
                except Unavailable as error:
                    unavailable[stream.name] = error
                except Misconfigured as error:
                    self._give_up(stream, None, error, streams)
            if len(unavailable) == len(streams):
                raise next(iter(unavailable.values()))
            if self.pulse.state != STANDING_BY:
                log.info("other tasks tail every stream; standing by", extra={"action": "standing_by"})
            self.pulse.standing_by(unavailable)
            self.stopping.wait(LOOK_AT_LEASE)
        return None

    def _on_duty(self, stream: Stream, lease: Lease, streams: list[Stream]) -> None:
        log.info("this task tails the stream now", extra=_about(stream, lease, "lease_acquired"))
        self.pulse.on_duty(stream.metrics, _moment(lease), lambda: lease.checkpoint_age)
        try:
            watch = HeadroomWatch(stream.source, lease, stream.metrics, history_seconds=stream.history_seconds, now=self.now)
            with lease, watch:
                self._tail_until_stopped(stream, lease)
        except LeaseLost as error:
            log.warning("%s", error, extra=_about(stream, lease, "lease_lost"))
        except (Rejected, Misconfigured) as error:
            self.pulse.off_duty()
            self._give_up(stream, lease, error, streams)
        finally:
            self.pulse.off_duty()
            log.info("this task lets go of the stream", extra=_about(stream, lease, "released"))

    def _tail_until_stopped(self, stream: Stream, lease: Lease) -> None:
        try:
            while not self.stopping.is_set():
                self._patiently(self._tail, stream, lease)
        except HistoryLost as error:
            words = HistoryLost(f"{history_lost_words(stream.name, lease.checkpoint)}. The server says: {error}")
            self._note(lease, words)
            raise words from error
        except (Rejected, Misconfigured) as error:
            self._note(lease, error)
            raise

    def _tail(self, stream: Stream, lease: Lease) -> None:
        """Until stopped, or until a neighbour fails: raising only when there was no progress, so that waits grow."""
        if lease.checkpoint is None:  # until a store has it: who takes over in the middle of it must start there, not at now
            lease.save(lease.record.checkpoint or _first(stream))
        _announce_gaps(stream, lease)
        after = lease.checkpoint
        assert after is not None  # noqa: S101 - saved just above
        try:
            tail(stream.source, stream.sink, lease, after=after, stopping=self.stopping, delivered=self.pulse.delivered)
        except Unavailable as error:
            stream.metrics.reconnects.inc()
            if lease.checkpoint is after:
                raise
            self._say(error, _BREATH)
            self.stopping.wait(_BREATH)

    def _give_up(self, stream: Stream, lease: Lease | None, error: Exception, streams: list[Stream]) -> None:
        self.pulse.stopped(stream.name, stream.metrics, _moment(lease) if lease else None)
        streams.remove(stream)
        if not streams:
            raise error
        log.critical("%s", error, extra={"action": "stream_stopped", "stream": stream.name, "reason": type(error).__name__})

    def _take_back(self, streams: list[Stream]) -> None:
        """
        A stream whose problem a person has cleared from its record is wanted again; one that was misconfigured from the start
        is not. One whose record cannot be read now is looked at again.
        """
        for stream in self.streams:
            if stream.name in self.pulse.noted:
                with suppress(Unavailable, Misconfigured):
                    if not stream.contender.problem():
                        self.pulse.revived(stream.name, stream.metrics)
                        streams.append(stream)

    def _note(self, lease: Lease, error: TailerError) -> None:
        """Leave the reason in the record, for whoever asks for the status; the stream has stopped either way."""
        try:
            lease.write(replace(lease.record, problem=str(error), problem_code=EXIT_CODES.get(type(error), 1)))
        except (LeaseLost, Unavailable) as unwritten:
            log.warning("%s", unwritten, extra={"action": "problem_not_noted"})

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


def _first(stream: Stream) -> Checkpoint:
    start = stream.source.first()
    log.warning("%s", first_start_words(stream.name, start), extra={"action": "first_start", "stream": stream.name})
    return start


def _announce_gaps(stream: Stream, lease: Lease) -> None:
    """Tell consumers of every accepted gap before anything that follows it."""
    for gap in lease.record.gaps:
        if not gap.announced:
            stream.sink.send([gap_change(stream.name, stream.ns, gap)], gap.generation)
            gaps = tuple(replace(one, announced=True) if one == gap else one for one in lease.record.gaps)
            lease.write(replace(lease.record, gaps=gaps))
            stream.metrics.gaps.inc()


def _moment(lease: Lease) -> datetime | None:
    """Up to when the stream is delivered, to the second."""
    return datetime.fromtimestamp(seconds(lease.checkpoint.cluster_time), tz=UTC) if lease.checkpoint else None


def _about(stream: Stream, lease: Lease, action: str) -> dict[str, object]:
    reached = rfc3339(lease.checkpoint.cluster_time) if lease.checkpoint else None
    return {"action": action, "stream": stream.name, "checkpoint": lease.checkpoint, "deliveredUpTo": reached}
