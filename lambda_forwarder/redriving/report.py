"""What a redrive did, for the log, for people and for programs."""

from collections.abc import Mapping

from msgspec import Struct

from lambda_forwarder.redriving.backlog import Taken

SHOWN = 100  # of what was left and of what was removed without an event, in a report; the numbers count all of it


class Mention(Struct, frozen=True, kw_only=True, rename="camel"):
    """One message of a queue, and why it stays or was removed; ``document`` and ``sequence`` of the change that it is about."""

    queue: str
    message_id: str
    document: str
    sequence: int
    reason: str


class Report(Struct, frozen=True, kw_only=True, rename="camel"):
    """
    ``messages`` were taken; ``published`` events accepted, ``late`` of them marked so, ``deduplicated`` of them known to the
    bus already; ``parked`` changes parked (again). ``unpublished`` messages were removed although something of them is not on
    the bus: the mappers told no event, or it was parked, or discarded as asked; the first of them are in ``removals``. ``left``
    messages stay; the first of them are in ``leftovers``. After a dry run, what would have been.
    """

    dry_run: bool
    messages: int
    published: int
    late: int
    deduplicated: int
    parked: int
    unpublished: int
    left: int
    removals: tuple[Mention, ...]
    leftovers: tuple[Mention, ...]

    @property
    def counts(self) -> dict[str, int]:
        """The numbers alone: what a log may hold."""
        names = ("messages", "published", "late", "deduplicated", "parked", "unpublished", "left")
        return {name: getattr(self, name) for name in names}


class Mentions:
    """Counts all, and keeps the first ``SHOWN``."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Mention] = []

    def add(self, one: Taken, reason: str) -> None:
        """``reason``: why it stays, or was removed."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(
                Mention(
                    queue=one.shelf.name,
                    message_id=one.waiting.id,
                    document=one.document,
                    sequence=one.sequence,
                    reason=reason,
                )
            )


def report(done: Mapping[str, int], removed: Mentions, left: Mentions, *, dry_run: bool) -> Report:
    """Sum up what was done, and what stays."""
    return Report(
        dry_run=dry_run,
        messages=done["messages"],
        published=done["events"],
        late=done["late"],
        deduplicated=done["deduplicated"],
        parked=done["parked"],
        unpublished=removed.count,
        left=left.count,
        removals=tuple(removed.first),
        leftovers=tuple(left.first),
    )
