"""What a redrive did, for the log, for people and for programs."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from lambda_forwarder.redriving.backlog import Taken

SHOWN = 100  # of what was left, in a report; the numbers count all of it


class Left(Struct, frozen=True, kw_only=True, rename="camel"):
    """One message that stays in its queue, the first of its changes that does, and why."""

    queue: str
    message_id: str
    document: str
    sequence: int
    reason: str


class Report(Struct, frozen=True, kw_only=True, rename="camel"):
    """
    ``messages`` were taken; ``published`` events accepted, ``late`` of them marked so, ``deduplicated`` of them known to the
    bus already; ``parked`` changes parked (again); ``left`` messages stay, the first of them in ``leftovers``. After a dry
    run, what would have been.
    """

    dry_run: bool
    messages: int
    published: int
    late: int
    deduplicated: int
    parked: int
    left: int
    leftovers: tuple[Left, ...]

    @property
    def counts(self) -> dict[str, int]:
        """The numbers alone: what a log may hold."""
        names = ("messages", "published", "late", "deduplicated", "parked", "left")
        return {name: getattr(self, name) for name in names}


def report(done: Mapping[str, int], held: Iterable[Taken], *, dry_run: bool) -> Report:
    """Sum up what was done, and what stays of what is held."""
    left = [one for one in held if one.why]
    return Report(
        dry_run=dry_run,
        messages=done["messages"],
        published=done["events"],
        late=done["late"],
        deduplicated=done["deduplicated"],
        parked=done["parked"],
        left=len(left),
        leftovers=tuple(map(_left, left[:SHOWN])),
    )


def _left(one: Taken) -> Left:
    return Left(queue=one.shelf.name, message_id=one.waiting.id, document=one.document, sequence=one.sequence, reason=one.why)
