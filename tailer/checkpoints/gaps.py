"""A gap in the history: a person accepts it, the record keeps it, and one change announces it to consumers."""

from msgspec.structs import replace

from tailer.errors import Misconfigured
from tailer.model import Checkpoint, Gap, Record
from tailer.times import rfc3339
from tailrace.wire.change import GAP, Change, Namespace

KEPT = 20  # announced gaps; and as many may wait for their announcement
REASON_LIMIT = 1_000  # characters
WHO_LIMIT = 200  # characters


def gap_added(record: Record, gap: Gap) -> Record:
    """
    The record with one more gap. Refuse long texts and too many gaps: its gaps take less than 300 KB, because an item of
    DynamoDB holds 400 KB.
    """
    for option, text, limit in (("--why", gap.reason, REASON_LIMIT), ("--by", gap.accepted_by, WHO_LIMIT)):
        if len(text) > limit:
            raise Misconfigured(f"{option} has {len(text)} characters: shorten it to {limit} or fewer")
    if sum(not one.announced for one in record.gaps) >= KEPT:
        raise Misconfigured(
            f"{KEPT} gaps of stream {record.stream!r} are not announced yet: start a task (tailer run), which announces them, "
            "then accept this gap"
        )
    return replace(record, gaps=(*record.gaps, gap))


def gap_announced(record: Record, gap: Gap) -> Record:
    """The record with this gap marked as announced, and without the oldest announced gaps."""
    gaps = [replace(one, announced=True) if one == gap else one for one in record.gaps]
    kept = [one for one in gaps if one.announced][-KEPT:]
    return replace(record, gaps=tuple(one for one in gaps if not one.announced or one in kept))


def gap_change(stream: str, ns: Namespace, gap: Gap) -> Change:
    """The change that announces a gap to consumers: numbered like any other, and the same at every try."""
    return Change(
        id=f"gap-{stream}-{gap.generation}-{gap.sequence}",
        sequence=gap.sequence,
        operation_type=GAP,
        ns=ns,
        cluster_time=gap.until,
        full_document={
            "stream": stream,
            "from": rfc3339(gap.after),
            "to": rfc3339(gap.until),
            "acceptedBy": gap.accepted_by,
            "acceptedAt": gap.accepted_at,
            "reason": gap.reason,
        },
    )


def history_lost_message(stream: str, checkpoint: Checkpoint | None) -> str:
    """What is missing and the possible remedies, for the person who is paged."""
    if checkpoint is None:
        return (
            f"stream {stream!r} cannot start at TAILER_START: the server no longer has the history from that time. Set "
            "TAILER_START to beginning, to now or to a later time"
        )
    since = rfc3339(checkpoint.reached)
    back_to = since if checkpoint.reached else "TIME"
    return (
        f"stream {stream!r} was delivered up to {since}. The server may no longer have the changes that were committed after "
        "that. Either restore the history and start again; or, if the server still has that time and only the resume token is "
        f"invalid, go back to that time (tailer checkpoint rewind --stream {stream} --to {back_to}); or accept the gap, which "
        f"is recorded and published (tailer checkpoint accept-gap --stream {stream} --why REASON)"
    )
