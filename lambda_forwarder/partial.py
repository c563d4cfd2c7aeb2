"""What was finished before a failure, noted on the error that reports the failure, so that it is not done again."""

from collections.abc import Iterable

from msgspec import Struct

from lambda_forwarder.ports import Refused
from tailrace.message import ChangeMessage

_DONE = "done_before"
_UNFINISHED = "unfinished"


class Partial(Struct, frozen=True, kw_only=True):
    """The ids of accepted events or parked items, and the events that the bus refused for good."""

    accepted: frozenset[str] = frozenset()
    refused: tuple[Refused, ...] = ()


def note_done(error: Exception, accepted: Iterable[str], refused: Iterable[Refused] = ()) -> None:
    """Note on the error what was accepted or refused before it, in addition to earlier notes."""
    before = done_before(error)
    vars(error)[_DONE] = Partial(accepted=before.accepted.union(accepted), refused=(*refused, *before.refused))


def done_before(error: Exception) -> Partial:
    """Return what was accepted or refused before the error: nothing if there is no note."""
    noted = vars(error).get(_DONE)
    return noted if isinstance(noted, Partial) else Partial()


def note_unfinished(error: Exception, sequence: int) -> None:
    """Note the first change that is not published or parked. The smallest of several notes counts."""
    vars(error)[_UNFINISHED] = min(sequence, vars(error).get(_UNFINISHED, sequence))


def unfinished(error: Exception, message: ChangeMessage) -> int:
    """Return the sequence of the first unfinished change of the message: of its very first change if there is no note."""
    noted = vars(error).get(_UNFINISHED)
    return noted if isinstance(noted, int) else min(change.sequence for change in message.changes)
