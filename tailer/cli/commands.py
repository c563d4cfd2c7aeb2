"""What a person does by hand: look at streams, and decide where they go on. Every change of a record holds its lease."""

import getpass
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import isnan
from typing import Any

from tailer.aws.errors import aws_errors
from tailer.change_ids import short
from tailer.checkpoints import decisions
from tailer.checkpoints.recognition import recognised
from tailer.cli.deciding import lease_to_decide
from tailer.cli.interrupts import INTERRUPTS
from tailer.cluster import Cluster
from tailer.errors import Misconfigured, TailerError
from tailer.health.lag import stored_seconds_behind
from tailer.model import Checkpoint, Gap, OlderGaps, Record
from tailer.output import Say, as_json, as_text
from tailer.parts import Parts
from tailer.ports import Source
from tailer.streaming.headroom import headroom
from tailer.times import rfc3339
from tailrace.text.legible import legible

Decision = Callable[[Record], Record]


def show(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
    """The record of each stream, as it is stored."""
    records = {parts.settings.stream: parts.store.read(parts.settings.stream) for parts in streams}
    if options.json:
        say(as_json(records))
        return
    for stream, record in records.items():
        say(as_text(stream, _described(record) if record else {"checkpoint": "none: this stream was never started"}))


def status(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
    """What each stream is, who tails it, how far behind and how far from losing its history it is."""
    states = {parts.settings.stream: _status(parts) for parts in streams}
    if options.json:
        say(as_json(states))
        return
    for stream, state in states.items():
        say(as_text(stream, state))


def seed(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
    """Give a stream that has none its first checkpoint."""
    parts = _only(streams)
    source, cluster = parts.source, _its_cluster(parts)
    to = _asked_for(options, source)

    def decision(record: Record) -> Record:
        return decisions.seeded(recognised(record, cluster), to, datetime.now(UTC))

    _decide(options, parts, decision, say)


def rewind(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
    """Move a stream's checkpoint: everything after the new one is delivered again, as a new generation."""
    parts = _only(streams)
    source, cluster = parts.source, _its_cluster(parts)
    to = _asked_for(options, source)
    _decide(options, parts, lambda record: decisions.moved(recognised(record, cluster), to), say)


def accept_gap(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
    """Go on behind history that is lost; the gap is recorded, and published as StreamGapDetected."""
    parts = _only(streams)
    # At now where nobody knows the oldest history: TAILER_START is for a first start.
    from_now = parts.settings.model_copy(update={"start": "now"})
    source, cluster = replace(parts, settings=from_now).source, _its_cluster(parts)
    until = _asked_for(options, source) if options.to else None
    by, why = legible(options.by or getpass.getuser()), legible(options.why)  # kept, published, and shown for ever

    def decision(record: Record) -> Record:
        record = recognised(record, cluster)
        return decisions.gap_accepted(record, source, until, by=by, reason=why, now=datetime.now(UTC))

    _decide(options, parts, decision, say)


def skip(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
    """Step over the change that stops the stream: a stub takes its place, recorded, and published as StreamGapDetected."""
    parts = _only(streams)
    cluster = _its_cluster(parts)
    by, why = legible(options.by or getpass.getuser()), legible(options.why)

    def decision(record: Record) -> Record:
        record = recognised(record, cluster)
        return decisions.skipped(record, short(options.change), by=by, reason=why, now=datetime.now(UTC))

    _decide(options, parts, decision, say)


def accept_settings(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
    """Go on from the same position with what the settings say now, as a new generation."""
    parts = _only(streams)
    waiting = _waiting_messages(parts)
    if waiting and not options.anyway:
        raise Misconfigured(
            f"about {waiting} messages wait in the queue: changes of a document whose lane changes could arrive out of order. "
            "Stop the stream's tasks, let the queue run empty, and try again; or add --anyway"
        )
    _decide(options, parts, lambda record: decisions.settings_accepted(record, parts.settings.identity), say)


def accept_cluster(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
    """Go on from the same position in the history of another cluster, as a new generation."""
    parts = _only(streams)
    source, cluster = parts.source, parts.cluster()
    _decide(options, parts, lambda record: decisions.cluster_accepted(record, cluster, source), say)


def _decide(options: Namespace, parts: Parts, decision: Decision, say: Say) -> None:
    """Take the decision while holding the lease, or only show it."""
    if options.dry_run:
        before = parts.store.read(parts.settings.stream) or Record(stream=parts.settings.stream)
        _report(options, before, decision(before), say)
        return
    with lease_to_decide(parts) as lease:
        before = lease.record
        after = decision(before)
        INTERRUPTS.too_late()
        lease.write(after)
    _report(options, before, after, say)


def _asked_for(options: Namespace, source: Source) -> Checkpoint:
    """Where ``--to`` points, once the server has shown that it can go on from there."""
    to = decisions.position(options.to, source)
    decisions.refuse_future(to, datetime.now(UTC))
    return decisions.checked(source, to)


def _its_cluster(parts: Parts) -> Cluster:
    """Who the watched cluster is; refused where the stream's checkpoint belongs to another, before its history is asked."""
    cluster = parts.cluster()
    recognised(parts.store.read(parts.settings.stream) or Record(stream=parts.settings.stream), cluster)
    return cluster


def _report(options: Namespace, before: Record, after: Record, say: Say) -> None:
    if options.json:
        say(as_json({"dryRun": options.dry_run, "before": before, "after": after}))
        return
    say(as_text("before", _position(before)))
    say(as_text("would be" if options.dry_run else "now", _position(after)))


def _status(parts: Parts) -> dict[str, Any]:
    record = parts.store.read(parts.settings.stream)
    if record is None:
        return {"checkpoint": "none: this stream was never started"}
    now = datetime.now(UTC)
    found = _described(record) | {
        "lease": _lease_state(record, now),
        "scanningSince": (record.scanning_since if record.owner else "") or "no",
        **parts.unmapped(),
    }
    if record.checkpoint is None:
        return found | {"checkpoint": "none: this stream has not opened yet"}
    behind = stored_seconds_behind(record, now)
    try:
        left = headroom(parts.source, record.checkpoint, history_seconds=parts.settings.history_seconds, now=now)
    except TailerError as error:
        left, problem = None, str(error)
    else:
        problem = "none" if left is not None else _headroom_unknown(record.checkpoint)
    return found | {
        "secondsBehind": None if isnan(behind) else int(behind),
        "headroomSeconds": None if left is None else int(left),
        "headroomProblem": problem,
    }


def _headroom_unknown(checkpoint: Checkpoint) -> str:
    if checkpoint.reached is None:
        return "the resume token does not contain a time; the stream's next change sets it"
    return "the server does not report how long it keeps history; set TAILER_HISTORY_SECONDS"


def _lease_state(record: Record, now: datetime) -> str:
    """Whether the owner is still there, as far as the time of its last write tells."""
    if record.overdue(now):
        return f"expired: not renewed since {record.saved_at}, and a lease lasts {record.lease_seconds:g} s"
    return "held" if record.owner else "free"


def _described(record: Record) -> dict[str, Any]:
    return {
        **_position(record),
        "owner": record.owner or "nobody",
        "fence": record.fence,
        "savedAt": record.saved_at,
        "watches": record.identity,
        "cluster": str(record.cluster) if record.cluster else "unknown: an older release wrote the checkpoint",
        "gaps": [*_older_gaps(record), *(f"{_span(gap)}, {gap.accepted_by}: {gap.reason}" for gap in record.gaps)],
        "skipped": [f"{skip.change}, {skip.by} at {skip.at}: {skip.reason}" for skip in record.skips],
        "stubs": f"{record.stubs}, the last: {record.last_stub}" if record.stubs else "none",
        "problem": record.problem or "none",
        "deaths": str(record.crashes) or "none",
    }


def _older_gaps(record: Record) -> list[str]:
    older = record.older_gaps
    return [f"{older.count} older, {_span(older)}"] if older else []


def _span(gap: Gap | OlderGaps) -> str:
    return f"{rfc3339(gap.after)} to {rfc3339(gap.until)}"


def _position(record: Record) -> dict[str, Any]:
    checkpoint = record.checkpoint
    if checkpoint is None:
        return {"checkpoint": "none"}
    return {
        "deliveredUpTo": rfc3339(checkpoint.reached) if checkpoint.reached else None,
        "generation": checkpoint.generation,
        "sequence": checkpoint.sequence,
        "token": checkpoint.token or f"none: starts at {checkpoint.cluster_time}",
    }


def _waiting_messages(parts: Parts) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = parts.settings.queue_url
    with aws_errors("TAILER_QUEUE_URL", url):
        response = parts.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(response["Attributes"][name]) for name in names)


def _only(streams: Sequence[Parts]) -> Parts:
    if len(streams) > 1:
        raise Misconfigured(f"name the stream: --stream {' or '.join(parts.settings.stream for parts in streams)}")
    return streams[0]
