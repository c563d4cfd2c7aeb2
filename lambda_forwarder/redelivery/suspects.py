"""
Which messages may have ended the function: those that were received before, and about which it never answered.

An outage is answered: the function says that the message failed, and notes that it said so. A function that ran out of memory
or time, or crashed, says nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.model.received import Record, receives

TURN = 3  # a suspect waits for an invocation without others at two of so many receives


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The groups to work on now, in this order; the one of them that is suspect; and those to give back untouched."""

    now: Sequence[str]
    suspect: str | None = None
    later: Sequence[str] = field(default=())


def received_again(groups: Mapping[str, Sequence[Record]]) -> Sequence[str]:
    """The groups whose first message was received before. Only of those anything need be known."""
    return [name for name, records in groups.items() if receives(records[0]) > 1]


def plan(groups: Mapping[str, Sequence[Record]], notes: Mapping[str, Attempt]) -> Plan:
    """
    First all groups that are above suspicion, so that a function that ends takes no others with it. Of the suspect ones one at
    a time, and by itself if that can be had soon: the answer about the others must not depend on it. The one that was begun
    least often comes first, so that what was only in bad company gets away.
    """
    suspects = [name for name in received_again(groups) if _suspect(groups[name][0], notes.get(name))]
    if not suspects:
        return Plan(now=list(groups))
    chosen = min(suspects, key=lambda name: (_begun(groups[name], notes.get(name)), receives(groups[name][0])))
    others = [name for name in groups if name not in suspects]
    if others and receives(groups[chosen][0]) % TURN:
        return Plan(now=others, later=suspects)
    return Plan(now=[*others, chosen], suspect=chosen, later=[name for name in suspects if name != chosen])


def _suspect(first: Record, note: Attempt | None) -> bool:
    """Nobody answered about its last receive."""
    return note is None or note.message != first["messageId"] or note.answered < receives(first) - 1


def _begun(records: Sequence[Record], note: Attempt | None) -> int:
    return note.begun if note and note.message in {record["messageId"] for record in records} else 0
