"""Changes too large for a message: fetched, verified, and put in the place of their claims."""

import hashlib
from collections.abc import Iterator

from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.errors import Misconfigured, Rejected
from lambda_forwarder.model.parked import Parked, light, unclaimed
from lambda_forwarder.ports import Claims, TimeLeft
from tailrace.change import Change
from tailrace.message import ChangeMessage
from tailrace.wire.change import Claim
from tailrace.wire.message import DECODED_LIMIT, MEMORY, UnreadableMessage
from tailrace.wire.reading import read_change


def runs(message: ChangeMessage) -> Iterator[ChangeMessage]:
    """The message in runs of its changes, in order. A claimed change is a run of its own: only one need be in memory."""
    start = 0
    for end, change in enumerate(message.changes, 1):
        if change.claim or end == len(message.changes) or message.changes[end].claim:
            yield replace(message, changes=message.changes[start:end])
            start = end


def fetched(
    run: ChangeMessage, claims: Claims | None, time_left: TimeLeft, room: int = MEMORY
) -> tuple[ChangeMessage, list[Parked]]:
    """
    The run with each claimed change whole, and what had to be parked instead. ``room`` is the memory for one, in bytes.

    Raises:
        Unavailable: not now, or the time is up.
        Misconfigured: the claims are not there or not ours to read.
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
    """
    The change as it lies under its claim. It keeps the claim, by which it becomes light again.

    Raises:
        Rejected: what lies there is not what the claim says, or more than a function can hold.
    """
    if claims is None:
        raise Misconfigured(
            "FORWARDER_CLAIM_BUCKET: it is missing, and a change was too large for the queue; set it to the tailer's "
            "TAILER_CLAIM_BUCKET. Until then the message stays in the queue"
        )
    deadline.check(time_left, "a claimed change was fetched")
    if not 0 < claim.bytes <= DECODED_LIMIT:
        raise Rejected(f"it claims {claim.bytes} bytes; the limit is {DECODED_LIMIT}")
    content = claims.fetch(claim, time_left)
    if len(content) != claim.bytes:
        raise Rejected(f"{len(content)} bytes lie there, or more; the claim says {claim.bytes}")
    if hashlib.sha256(content).hexdigest() != claim.sha256:
        raise Rejected("what lies there has another SHA-256 than the claim says")
    try:
        whole = replace(read_change(content, Change, room), claim=claim)
    except UnreadableMessage as error:
        raise Rejected(f"what lies there is not to be read: {error}") from error
    if light(whole) != change:
        raise Rejected("what lies there is another change than the one that claims it")
    return whole
