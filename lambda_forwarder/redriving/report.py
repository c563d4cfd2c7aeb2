"""The report of a redrive, for the log, for people and for programs."""

from collections.abc import Iterator

from msgspec import Struct

from tailrace.text.legible import legible

SHOWN = 100  # messages that stay, and messages removed without an event, in a report; the numbers count all of them
COUNTS = ("messages", "published", "late", "deduplicated", "parked", "unpublished", "left")


class Mention(Struct, frozen=True, kw_only=True, rename="camel"):
    """One message of a queue, and why it stays or was removed; ``document`` and ``sequence`` of the change in question."""

    queue: str
    message_id: str
    document: str
    sequence: int
    reason: str

    def __str__(self) -> str:
        return legible(f"{self.queue}: {self.document or self.message_id} #{self.sequence}: {self.reason}")


class Report(Struct, frozen=True, kw_only=True, rename="camel"):
    """
    ``messages`` were received, and ``published`` events accepted: ``late`` of them marked as late, ``deduplicated`` of them
    known to the bus. ``parked`` changes were parked (again). ``unpublished`` messages were removed although a change of them is
    not on the bus, because its mappers produced no event, it was parked, or it was discarded as requested; ``removals`` has the
    first of them. ``left`` messages stay; ``leftovers`` has the first of them. After a dry run: what would have been.
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
        """The numbers alone, for the log."""
        return {name: getattr(self, name) for name in COUNTS}

    @property
    def lines(self) -> Iterator[str]:
        """The report as text."""
        yield ", ".join(f"{name} {number}" for name, number in self.counts.items())
        removed = "would be removed" if self.dry_run else "removed"
        yield from (f"{removed} from {mention}" for mention in self.removals)
        yield from (f"left in {mention}" for mention in self.leftovers)
        if more := self.unpublished + self.left - len(self.removals) - len(self.leftovers):
            yield f"and {more} more"
        if self.dry_run:
            yield "dry run: nothing was published, parked or removed"
