"""What was done before a failure. It is noted on the error that reports the failure, so that it need not be done again."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from tailrace.message import ChangeMessage

if TYPE_CHECKING:
    from lambda_forwarder.ports import Refused

_DONE = "done_before"
_UNFINISHED = "unfinished"


class Partial(Struct, frozen=True, kw_only=True):
    """The ids of what was accepted (events, or parked items), and the events that were refused for good."""

    accepted: frozenset[str] = frozenset()
    refused: "tuple[Refused, ...]" = ()


def note_done(error: Exception, accepted: Iterable[str], refused: "Iterable[Refused]" = ()) -> None:
    """Note what was accepted or refused before the error, besides what is noted on it already."""
    before = done_before(error)
    vars(error)[_DONE] = Partial(accepted=before.accepted.union(accepted), refused=(*refused, *before.refused))


def done_before(error: Exception) -> Partial:
    """What was accepted or refused before the error; nothing where nobody noted anything."""
    noted = vars(error).get(_DONE)
    return noted if isinstance(noted, Partial) else Partial()


def note_unfinished(error: Exception, sequence: int) -> None:
    """Note the first change of which something is still to be published or parked. Of two notes the smaller counts."""
    vars(error)[_UNFINISHED] = min(sequence, vars(error).get(_UNFINISHED, sequence))


def unfinished(error: Exception, message: ChangeMessage) -> int:
    """The sequence of the first change of the message that is not finished: its very first one where nobody noted any."""
    noted = vars(error).get(_UNFINISHED)
    return noted if isinstance(noted, int) else min(change.sequence for change in message.changes)
