"""A gap in the history: recorded with a person's word, and announced as one change of its own."""

from contract.change import GAP, Change, Namespace
from tailer.model import Checkpoint, Gap
from tailer.times import rfc3339


def gap_change(stream: str, ns: Namespace, gap: Gap) -> Change:
    """The change that tells consumers of a gap: numbered like any other, and the same however often it is sent."""
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


def first_start_words(stream: str, start: Checkpoint) -> str:
    """Where a stream without a checkpoint starts, and the way back for whom it was not the first time."""
    return (
        f"stream {stream!r} has no checkpoint: it starts for the first time, at {rfc3339(start.reached)}. If it was "
        "tailed before, its checkpoint is lost, and what was committed before that time and not delivered is missing: stop its "
        f"tasks and go back to when it was delivered last (tailer checkpoint rewind --stream {stream} --to TIME)"
    )


def history_lost_words(stream: str, checkpoint: Checkpoint | None) -> str:
    """What is missing, and the two ways out, for the person who is paged."""
    since = rfc3339(checkpoint.reached) if checkpoint else "its start"
    back_to = rfc3339(checkpoint.reached) if checkpoint and checkpoint.reached else "TIME"
    return (
        f"stream {stream!r} was delivered up to {since}, and what was committed after that may be gone from the server. "
        "Either bring the history back and start again; or, where the server still has that time and only the token is of no "
        f"use, go back to it (tailer checkpoint rewind --stream {stream} --to {back_to}); or accept the gap, which is recorded "
        f"and published (tailer checkpoint accept-gap --stream {stream} --why REASON)"
    )
