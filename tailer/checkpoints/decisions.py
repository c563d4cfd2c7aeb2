"""What a person may decide about a stream's position. Each decision makes a new record; none is taken by the tailer itself."""

from datetime import datetime

from msgspec.structs import replace

from tailer.checkpoints.gaps import KEPT, gap_added
from tailer.checkpoints.positions import resumable
from tailer.cluster import Cluster
from tailer.errors import Misconfigured
from tailer.model import After, At, Checkpoint, Gap, Position, Record, Skip
from tailer.poison import skip_command
from tailer.ports import Source
from tailer.resume_tokens import token_time
from tailer.times import rfc3339, time_of
from tailrace.wire.change import UNKNOWN_TIME


def seeded(record: Record, to: Position, now: datetime) -> Record:
    """
    Return the record with its first position, in a generation above that of every start before: see ``History.first``. Refuse a
    record that has a position already.
    """
    if record.checkpoint is not None:
        raise Misconfigured(f"stream {record.stream!r} has a checkpoint already; to move it: tailer checkpoint rewind")
    return _decided(record, Checkpoint(generation=int(now.timestamp()), position=to))


def moved(record: Record, to: Position) -> Record:
    """
    Return the record with an earlier position. The numbers continue, in a new generation.

    Raises:
        Misconfigured: the stream has no position. Or the new one is later, so that the changes between would be skipped. Or it
            is a token whose time is unknown or that of the position, which may be later: all changes of a transaction have one
            time.
    """
    before = record.checkpoint
    if before is None:
        raise Misconfigured(f"stream {record.stream!r} has no checkpoint to move; to give it one: tailer checkpoint seed")
    time = _time(to, "it is unknown whether changes would be skipped")
    if before.reached and time_of(time) > time_of(before.reached):
        raise Misconfigured(
            f"{rfc3339(time)} is later than {rfc3339(before.reached)}, the time up to which stream {record.stream!r} was "
            "delivered: the changes between them would be skipped. If they are lost: tailer checkpoint accept-gap --to"
        )
    if isinstance(to, After) and to != before.position and before.reached and time_of(time) == time_of(before.reached):
        raise Misconfigured(
            f"the token {to.token} has the same time as the checkpoint of stream {record.stream!r}. All changes of a "
            "transaction have one time, so it is unknown whether changes would be skipped: give the time instead "
            f"(--to {rfc3339(time)})"
        )
    return _decided(record, replace(before, position=to, generation=before.generation + 1, unconfirmed=False))


def gap_accepted(record: Record, source: Source, until: Position | None, *, by: str, reason: str, now: datetime) -> Record:
    """
    Return the record that continues at ``until``, or at the oldest history that is left, with the gap before it in the ledger.
    ``source`` is one that starts at now.

    Raises:
        Misconfigured: there is no gap: the server still has what follows the checkpoint, nothing was ever delivered, or the gap
            would end before it begins. Or as ``gap_added``.
    """
    before = record.checkpoint
    if before is None:
        raise Misconfigured(f"stream {record.stream!r} has no checkpoint, so nothing can be missing after it")
    if resumable(source, before.position):
        raise Misconfigured(
            f"there is no gap: the server still has everything after the checkpoint of stream {record.stream!r} "
            f"({rfc3339(before.reached)}). To move it anyway: tailer checkpoint rewind"
        )
    end = _time(until, "the gap has no end") if until else None
    if before.reached is None:
        raise Misconfigured(
            f"the time up to which stream {record.stream!r} was delivered is unknown, so the gap has no beginning: set that "
            "time first (tailer checkpoint rewind --to TIME)"
        )
    end = end or max(source.oldest() or source.first().reached or before.reached, before.reached, key=time_of)
    if time_of(end) < time_of(before.reached):
        raise Misconfigured(
            f"{rfc3339(end)} is earlier than {rfc3339(before.reached)}, the time up to which stream {record.stream!r} was "
            "delivered, so nothing is missing between them. To go back: tailer checkpoint rewind --to"
        )
    return _after_gap(record, before, Checkpoint(position=until or At(end)), (before.reached, end), by, reason, now)


def skipped(record: Record, change: str, *, by: str, reason: str, now: datetime) -> Record:
    """
    Return the record of a stream that skips the change that stops it, by its short id; refuse any other change. A stub takes
    the place of the change. Consumers receive a gap that begins and ends at the change's time, in a new generation.
    """
    before = record.checkpoint
    if before is None:
        raise Misconfigured(f"stream {record.stream!r} has no checkpoint, so none of its changes can be skipped")
    if f"{skip_command(change)} --stream" not in record.problem:
        raise Misconfigured(
            f"change {change} did not stop stream {record.stream!r}. Its recorded problem: {record.problem or 'none'}. Only "
            "the change that the problem names can be skipped"
        )
    time = token_time(change) or before.reached or UNKNOWN_TIME
    skips = (*record.skips, Skip(change=change, by=by, at=_text(now), reason=reason))[-KEPT:]
    announced = f"change {change} was skipped: {reason}"
    return _after_gap(replace(record, skips=skips), before, before, (time, time), by, announced, now)


def settings_accepted(record: Record, identity: str) -> Record:
    """Return the record at the same position for a stream with another identity, in a new generation."""
    return replace(_in_a_new_generation(record), identity=identity)


def cluster_accepted(record: Record, cluster: Cluster, source: Source) -> Record:
    """
    Return the record at the same position in this cluster's history, in a new generation. If the cluster refuses the token, the
    stream continues at the token's time; the tailer finds out whether the history reaches back to that time.
    """
    before = record.checkpoint
    if before and before.reached and isinstance(before.position, After) and not resumable(source, before.position):
        record = replace(record, checkpoint=replace(before, position=At(before.reached), unconfirmed=False))
    return replace(_in_a_new_generation(record), cluster=cluster)


def _in_a_new_generation(record: Record) -> Record:
    before = record.checkpoint
    return _decided(record, replace(before, generation=before.generation + 1)) if before else record


def _decided(record: Record, checkpoint: Checkpoint) -> Record:
    """A decision also clears the problem that stopped the stream: a task may tail it again."""
    return replace(record, checkpoint=checkpoint, problem="", problem_code=0)


def _after_gap(
    record: Record, before: Checkpoint, to: Checkpoint, span: tuple[str, str], by: str, reason: str, now: datetime
) -> Record:
    gap = Gap(
        generation=before.generation + 1,
        sequence=before.sequence + 1,
        after=span[0],
        until=span[1],
        accepted_by=by,
        accepted_at=_text(now),
        reason=reason,
    )
    return _decided(gap_added(record, gap), replace(to, generation=gap.generation, sequence=gap.sequence))


def _time(to: Position, unless: str) -> str:
    """The time of a position; ``unless`` says what is impossible without one."""
    if isinstance(to, After) and to.time is None:
        raise Misconfigured(f"the time of the token {to.token} is unknown, so {unless}: give a time (--to TIME)")
    return str(to.time)


def _text(now: datetime) -> str:
    return now.isoformat(timespec="seconds").replace("+00:00", "Z")
