"""Fetches and verifies changes that were too large for a message."""

import hashlib
from collections.abc import Iterator

from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.errors import Misconfigured, Rejected
from lambda_forwarder.model.parked import Parked, light, unclaimed
from lambda_forwarder.ports import Claims, TimeLeft
from tailrace.change import Change
from tailrace.message import ChangeMessage, read_change
from tailrace.wire.change import Claim
from tailrace.wire.message import DECODED_LIMIT, MEMORY, UnreadableMessage


def runs(message: ChangeMessage) -> Iterator[ChangeMessage]:
    """Split the message into runs of changes, in order. A claimed change is a run of its own: only one is in memory."""
    start = 0
    for end, change in enumerate(message.changes, 1):
        if change.claim or end == len(message.changes) or message.changes[end].claim:
            yield replace(message, changes=message.changes[start:end])
            start = end


def fetched(
    run: ChangeMessage, claims: Claims | None, time_left: TimeLeft, room: int = MEMORY
) -> tuple[ChangeMessage, list[Parked]]:
    """
    Return the run with its claimed changes fetched, and the changes to park. ``room`` is the memory in bytes for one change.
    """
    changes: list[Change] = []
    parked: list[Parked] = []
    for change in run.changes:
        try:
            changes.append(change if change.claim is None else _whole(change, change.claim, claims, time_left, room))
        except Rejected as error:
            parked.append(unclaimed(change, run, error))
    return replace(run, changes=tuple(changes)), parked


def _whole(change: Change, claim: Claim, claims: Claims | None, time_left: TimeLeft, room: int) -> Change:
    """Return the claimed change. It keeps its claim, so that ``light`` can remove the documents again."""
    if claims is None:
        raise Misconfigured(
            "FORWARDER_CLAIM_BUCKET: it is missing, and the tailer stored a change in its claim bucket; set it to the value of "
            "TAILER_CLAIM_BUCKET. Until then the message stays in the queue"
        )
    deadline.check(time_left, "a claimed change was fetched")
    if not 0 < claim.bytes <= DECODED_LIMIT:
        raise Rejected(f"the claim states {claim.bytes} bytes; the limit is {DECODED_LIMIT}")
    content = claims.fetch(claim, time_left)
    if len(content) != claim.bytes:
        size = f"more than {claim.bytes}" if len(content) > claim.bytes else f"only {len(content)}"
        raise Rejected(f"the object has {size} bytes; the claim states {claim.bytes}")
    if hashlib.sha256(content).hexdigest() != claim.sha256:
        raise Rejected("the object's SHA-256 differs from the claim's")
    try:
        whole = replace(read_change(content, room), claim=claim)
    except UnreadableMessage as error:
        raise Rejected(f"the object cannot be read: {error}") from error
    if light(whole) != change:
        raise Rejected("the object holds another change than the one in the queue")
    return whole
