"""
A person's decisions about a stream: written while this process holds the stream's lease, or only shown (``dry_run``). The
result is the stream's record before and after the decision.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from getpass import getuser

from tailer.aws.errors import aws_errors
from tailer.checkpoints import decisions
from tailer.checkpoints.lease import Lease
from tailer.checkpoints.positions import asked_for
from tailer.checkpoints.recognition import recognised
from tailer.errors import Misconfigured
from tailer.model import Record
from tailer.operations.interrupts import INTERRUPTS
from tailer.operations.status import position
from tailer.output import Result
from tailer.parts import Parts
from tailer.poison import PARK
from tailer.resume_tokens import short
from tailer.stored_form import stored_record
from tailer.times import now
from tailer.waits import WAITS
from tailrace.text.legible import legible

_WAITING = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
_POLL = 0.2  # seconds


def seed(parts: Parts, to: str, *, dry_run: bool = False) -> Result:
    """Give a stream that has no checkpoint its first one: ``beginning``, an RFC 3339 time, or a resume token."""
    of_this_cluster = _recognise(parts)
    start = asked_for(to, parts.source, now())
    return _decide(parts, lambda record: decisions.seeded(of_this_cluster(record), start, now()), dry_run)


def rewind(parts: Parts, to: str, *, dry_run: bool = False) -> Result:
    """Move a stream's checkpoint back, so that everything after it is delivered again, in a new generation."""
    of_this_cluster = _recognise(parts)
    start = asked_for(to, parts.source, now())
    return _decide(parts, lambda record: decisions.moved(of_this_cluster(record), start), dry_run)


def accept_gap(parts: Parts, why: str, *, by: str = "", to: str = "", dry_run: bool = False) -> Result:
    """
    Continue after history that is lost. The gap is recorded, and published as StreamGapDetected. Without ``to`` the stream
    continues at the oldest history that is left, or now if that is unknown: ``TAILER_START`` is for a first start.
    """
    of_this_cluster, source = _recognise(parts), parts.source_with(PARK, start="now")
    until = asked_for(to, source, now()) if to else None
    words = _words(by, why)
    return _decide(
        parts, lambda record: decisions.gap_accepted(of_this_cluster(record), source, until, **words, now=now()), dry_run
    )


def skip(parts: Parts, change: str, why: str, *, by: str = "", dry_run: bool = False) -> Result:
    """Skip the change that stops a stream. A stub takes its place; the skip is recorded, and published as StreamGapDetected."""
    of_this_cluster, words = _recognise(parts), _words(by, why)
    return _decide(parts, lambda record: decisions.skipped(of_this_cluster(record), short(change), **words, now=now()), dry_run)


def accept_settings(parts: Parts, *, anyway: bool = False, dry_run: bool = False) -> Result:
    """
    Continue at the same position with the current settings, in a new generation.

    Raises:
        Misconfigured: messages wait in the queue, and the caller did not say ``anyway``.
    """
    waiting = _waiting_messages(parts)
    if waiting and not anyway:
        raise Misconfigured(
            f"about {waiting} messages wait in the queue: changes of a document whose lane changes could arrive out of order. "
            "Stop the stream's tasks, let the queue run empty, and try again; or add --anyway"
        )
    return _decide(parts, lambda record: decisions.settings_accepted(record, parts.settings.identity), dry_run)


def accept_cluster(parts: Parts, *, dry_run: bool = False) -> Result:
    """Continue at the same position in the history of another cluster, in a new generation."""
    source, cluster = parts.source, parts.cluster()
    return _decide(parts, lambda record: decisions.cluster_accepted(record, cluster, source), dry_run)


def _decide(parts: Parts, decision: Callable[[Record], Record], dry_run: bool) -> Result:
    if dry_run:
        before = record_of(parts)
        after = decision(before)
    else:
        with lease_to_decide(parts) as lease:
            before = lease.record
            after = decision(before)
            INTERRUPTS.too_late()
            lease.write(after)
    return Result(
        values={"dryRun": dry_run, "before": stored_record(before), "after": stored_record(after)},
        shown={"before": position(before), "would be" if dry_run else "now": position(after)},
    )


def _recognise(parts: Parts) -> Callable[[Record], Record]:
    """Ask the watched cluster for its identity, and refuse a checkpoint of another cluster before the history is read."""
    cluster = parts.cluster()
    recognised(record_of(parts), cluster)
    return lambda record: recognised(record, cluster)


def _words(by: str, why: str) -> dict[str, str]:
    """Who decides, and the reason: recorded, published and shown in terminals for as long as the record exists."""
    return {"by": legible(by or getuser()), "reason": legible(why)}


def _waiting_messages(parts: Parts) -> int:
    url = parts.settings.queue_url
    with aws_errors("TAILER_QUEUE_URL", url):
        found = parts.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_WAITING))["Attributes"]
    return sum(int(found[name]) for name in _WAITING)


def record_of(parts: Parts) -> Record:
    """Read the record of a stream; an empty one if the stream was never started."""
    stream = parts.settings.stream
    return parts.store.read(stream) or Record(stream=stream)


@contextmanager
def lease_to_decide(parts: Parts) -> Iterator[Lease]:
    """
    Hold the stream's lease, and release it whatever ends the block. A task that ended without a release keeps the lease for its
    lease time.

    Raises:
        Misconfigured: a task tails the stream.
    """
    found = record_of(parts)
    deadline = time.monotonic() + found.lease_seconds + 1
    with ExitStack() as held:
        with WAITS.on(f"the lease of stream {found.stream!r}, which {found.owner or 'nobody'} has"):
            while True:
                with INTERRUPTS.shielded():
                    if lease := parts.candidate.try_acquire_to_decide():
                        held.enter_context(_released(lease))
                        break
                if time.monotonic() > deadline:
                    raise Misconfigured(
                        f"a task tails stream {found.stream!r}: stop that task first, then run this command again"
                    )
                time.sleep(_POLL)
        yield lease


@contextmanager
def _released(lease: Lease) -> Iterator[None]:
    lease.__enter__()
    try:
        yield
    finally:
        with INTERRUPTS.shielded():
            lease.__exit__()
