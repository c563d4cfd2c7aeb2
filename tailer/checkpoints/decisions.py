"""What a person may decide about a stream's position. Each decision makes a new record; none is taken by the tailer itself."""

import json
import re
from contextlib import closing
from datetime import datetime

from msgspec.structs import replace

from tailer.checkpoints.gaps import KEPT, gap_added
from tailer.cluster import Cluster
from tailer.errors import HistoryLost, Misconfigured
from tailer.model import Checkpoint, Gap, Record, Skip
from tailer.poison.on_poison import skip_command
from tailer.ports import Source
from tailer.read_limits import ReadLimits
from tailer.resume_tokens import token_time
from tailer.times import UNKNOWN, cluster_time_of, is_time, rfc3339, seconds, time_of

_POSITIONS = "beginning, an RFC 3339 time with its zone (2026-11-22T12:12:00Z) or a resume token"
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def position(text: str, source: Source) -> Checkpoint:
    """
    Where ``text`` points: ``beginning``, an RFC 3339 time, or a resume token.

    Raises:
        Misconfigured: it is none of them, or the beginning cannot be told.
    """
    if text == "beginning":
        oldest = source.oldest()
        if oldest is None:
            raise Misconfigured(
                "--to beginning needs the right to read local.oplog.rs, and DocumentDB has no oplog: give a time"
            )
        return Checkpoint(cluster_time=oldest)
    try:
        return Checkpoint(cluster_time=cluster_time_of(text))
    except ValueError:
        if is_time(text) or not _is_token(text):
            raise Misconfigured(f"--to {text} is not a position: {_POSITIONS}") from None
        return Checkpoint(token=text, cluster_time=token_time(text) or UNKNOWN)


def refuse_future(to: Checkpoint, now: datetime) -> None:
    """
    Return where a time, the beginning of a second, has come.

    Raises:
        Misconfigured: it has not. A server waits for it in silence.
    """
    if to.token is None and seconds(to.cluster_time) > now.timestamp():
        raise Misconfigured(f"{rfc3339(to.cluster_time)} is in the future: what is committed until then would be skipped")


def checked(source: Source, checkpoint: Checkpoint) -> Checkpoint:
    """
    The checkpoint, once the server has shown that it can go on from there. Where its time is unknown it is that of what comes
    next, if something does.

    Raises:
        HistoryLost: the server cannot: too old, or a token of another cluster.
    """
    with closing(source.batches(checkpoint, ReadLimits())) as batches:
        reached = next(batches)
    if checkpoint.reached:
        return checkpoint
    time = reached.changes[0].cluster_time if reached.changes else reached.checkpoint.cluster_time
    return replace(checkpoint, cluster_time=time)


def moved(record: Record, to: Checkpoint) -> Record:
    """
    The record with its position moved back by hand: numbering goes on, in a new generation.

    Raises:
        Misconfigured: there is no position yet, or the new one is later, so that what is between would be skipped in silence;
            or it is a token whose time is unknown or that of the position, so that nobody can tell: all changes of a
            transaction have one time.
    """
    before = record.checkpoint
    if before is None:
        raise Misconfigured(f"stream {record.stream!r} has no checkpoint to move; to give it one: tailer checkpoint seed")
    if to.reached is None:
        raise Misconfigured(
            f"the time of the token {to.token} is unknown, so it is unknown whether changes would be skipped: give a time "
            "(--to TIME)"
        )
    if before.reached and time_of(to.reached) > time_of(before.reached):
        raise Misconfigured(
            f"{rfc3339(to.reached)} is later than {rfc3339(before.reached)}, the time up to which stream {record.stream!r} was "
            "delivered: the changes between them would be skipped. If they are lost: tailer checkpoint accept-gap --to"
        )
    if before.reached and to.token not in (None, before.token) and time_of(to.reached) == time_of(before.reached):
        raise Misconfigured(
            f"the token {to.token} has the same time as the checkpoint of stream {record.stream!r}. All changes of a "
            "transaction have one time, so it is unknown whether changes would be skipped: give the time instead "
            f"(--to {rfc3339(to.reached)})"
        )
    return _in_a_new_generation(record, before, to)


def seeded(record: Record, to: Checkpoint, now: datetime) -> Record:
    """
    The record with its first position, in a generation above that of every start before: see ``MongodbSource.first``.

    Raises:
        Misconfigured: there is a position already.
    """
    if record.checkpoint is not None:
        raise Misconfigured(f"stream {record.stream!r} has a checkpoint already; to move it: tailer checkpoint rewind")
    return replace(record, checkpoint=replace(to, generation=int(now.timestamp())), problem="", problem_code=0)


def gap_accepted(record: Record, source: Source, until: Checkpoint | None, *, by: str, reason: str, now: datetime) -> Record:
    """
    The record going on at ``until``, or at the oldest history there is, with the gap before it in the ledger. ``source`` is one
    that starts at now.

    Raises:
        Misconfigured: there is no gap: the server still has what follows the checkpoint, nothing was ever delivered, or it
            would end before it begins. Or as ``gap_added``.
    """
    before = record.checkpoint
    if before is None:
        raise Misconfigured(f"stream {record.stream!r} has no checkpoint, so nothing can be missing after it")
    if _resumable(source, before):
        raise Misconfigured(
            f"there is no gap: the server still has everything after the checkpoint of stream {record.stream!r} "
            f"({rfc3339(before.reached)}). To move it anyway: tailer checkpoint rewind"
        )
    if until and until.reached is None:
        raise Misconfigured(f"the time of the token {until.token} is unknown, so the gap has no end: give a time (--to TIME)")
    if before.reached is None:
        raise Misconfigured(
            f"the time up to which stream {record.stream!r} was delivered is unknown, so the gap has no beginning: set that "
            "time first (tailer checkpoint rewind --to TIME)"
        )
    start = until or _oldest_behind(before.reached, source)
    if time_of(start.cluster_time) < time_of(before.reached):
        raise Misconfigured(
            f"{rfc3339(start.cluster_time)} is earlier than {rfc3339(before.reached)}, the time up to which stream "
            f"{record.stream!r} was delivered, so nothing is missing between them. To go back: tailer checkpoint rewind --to"
        )
    gap = Gap(
        generation=before.generation + 1,
        sequence=before.sequence + 1,
        after=before.reached,
        until=start.reached or start.cluster_time,
        accepted_by=by,
        accepted_at=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        reason=reason,
    )
    checkpoint = replace(start, generation=gap.generation, sequence=gap.sequence)
    return replace(gap_added(record, gap), checkpoint=checkpoint, problem="", problem_code=0)


def skipped(record: Record, change: str, *, by: str, reason: str, now: datetime) -> Record:
    """
    The record of a stream that steps over the change that stops it, by its short id: a stub takes that change's place. The
    ledger says so, and consumers hear of it as of a gap, which begins and ends at the change's time; it begins a generation.

    Raises:
        Misconfigured: another change stops the stream, or none. Or as ``gap_added``.
    """
    before = record.checkpoint
    if before is None:
        raise Misconfigured(f"stream {record.stream!r} has no checkpoint, so none of its changes can be skipped")
    if f"{skip_command(change)} --stream" not in record.problem:
        raise Misconfigured(
            f"change {change} did not stop stream {record.stream!r}. Its recorded problem: {record.problem or 'none'}. Only "
            "the change that the problem names can be skipped"
        )
    at = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    time = token_time(change) or before.reached or before.cluster_time
    gap = Gap(
        generation=before.generation + 1,
        sequence=before.sequence + 1,
        after=time,
        until=time,
        accepted_by=by,
        accepted_at=at,
        reason=f"change {change} was stepped over: {reason}",
    )
    skips = (*record.skips, Skip(change=change, by=by, at=at, reason=reason))[-KEPT:]
    checkpoint = replace(before, generation=gap.generation, sequence=gap.sequence)
    return replace(gap_added(record, gap), checkpoint=checkpoint, skips=skips, problem="", problem_code=0)


def settings_accepted(record: Record, identity: str) -> Record:
    """The record at the same position for a stream that watches or lanes differently: a new generation."""
    if record.checkpoint is None:
        return replace(record, identity=identity)
    return replace(_in_a_new_generation(record, record.checkpoint, record.checkpoint), identity=identity)


def cluster_accepted(record: Record, cluster: Cluster, source: Source) -> Record:
    """
    The record at the same position in this cluster's history: a new generation. Where the cluster does not take the token, the
    stream goes on at its cluster time; whether the history reaches back to it is for the tailer to find.
    """
    before = to = record.checkpoint
    if before is None or to is None:
        return replace(record, cluster=cluster)
    if before.token is not None and before.reached and not _resumable(source, before):
        to = Checkpoint(cluster_time=before.reached)
    return replace(_in_a_new_generation(record, before, to), cluster=cluster)


def _in_a_new_generation(record: Record, before: Checkpoint, to: Checkpoint) -> Record:
    to = replace(to, generation=before.generation + 1, sequence=before.sequence)
    return replace(record, checkpoint=to, problem="", problem_code=0)


def _oldest_behind(delivered: str, source: Source) -> Checkpoint:
    """The oldest history there is that was not delivered yet; now, where the server does not tell."""
    oldest = source.oldest() or source.first().cluster_time
    return Checkpoint(cluster_time=max(oldest, delivered, key=time_of))


def _resumable(source: Source, checkpoint: Checkpoint) -> bool:
    try:
        checked(source, checkpoint)
    except HistoryLost:
        return False
    return True


def _is_token(text: str) -> bool:
    """Whether it is written like one: hex of whole bytes, or the whole token as JSON where a server's are of another kind."""
    try:
        return bool(_HEX.fullmatch(text)) or isinstance(json.loads(text), dict)
    except ValueError:
        return False
