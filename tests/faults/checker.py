"""The reader's verdict: did every committed change arrive, once and in order, and can every repeat be recognised?"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from devstack.verdict import only
from tailrace.message import ChangeMessage
from tests.faults.entries import Entry, Ledger, entry_of

Lane = tuple[str, int, int]  # stream, generation, lane


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Each field except the counts is a broken guarantee unless it is empty."""

    committed: int
    arrivals: int
    repeats: int
    lost: Sequence[str] = ()  # committed, never arrived
    invented: Sequence[str] = ()  # arrived, never committed
    reordered: Sequence[str] = ()  # arrived after a newer change of its lane or document
    unrecognisable: Sequence[str] = ()  # one change with two ids or two sequences
    gaps: Sequence[str] = ()  # sequences that the stream skipped
    intruders: Sequence[str] = ()  # checkpoints written by a task that had lost the lease
    deaths: Sequence[str] = ()  # tailers that ended without being stopped

    @property
    def holds(self) -> bool:
        return not any(broken for _, broken in self._promises())

    def lines(self) -> list[str]:
        """Return the verdict as text, one guarantee per line."""
        lines = [f"  {'FAIL' if broken else 'ok  '} {len(broken)} {name}{_listed(broken)}" for name, broken in self._promises()]
        return [*lines, f"       {self.committed:,} committed, {self.arrivals:,} arrivals, {self.repeats:,} of them repeats"]

    def _promises(self) -> list[tuple[str, Sequence[str]]]:
        return [
            ("lost", self.lost),
            ("out of order", self.reordered),
            ("unrecognisable repeats", self.unrecognisable),
            ("without a commit", self.invented),
            ("gaps in the sequence", self.gaps),
            ("writes of a former owner", self.intruders),
            ("tailers that gave up", self.deaths),
        ]


@dataclass
class Checker:
    """
    Check every message in order of arrival. As in the forwarder, a change that is not above its lane's watermark is dropped, so
    it must be a repeat; anything else would be lost.
    """

    arrivals: int = 0
    _ids: dict[int, str] = field(default_factory=dict)
    _sequences: dict[str, int] = field(default_factory=dict)
    _watermarks: dict[Lane, int] = field(default_factory=dict)
    _documents: defaultdict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    _reordered: list[str] = field(default_factory=list)
    _unrecognisable: list[str] = field(default_factory=list)

    @property
    def heard(self) -> int:
        """Return the number of different changes so far."""
        return len(self._ids)

    @property
    def broken(self) -> bool:
        """Whether something is wrong that no later message can correct."""
        return bool(self._reordered or self._unrecognisable)

    def deliver(self, message: ChangeMessage) -> None:
        """Check one message as the queue delivered it."""
        lane = (message.stream, message.generation, message.lane)
        for change in message.changes:
            self.arrivals += 1
            self._hear(lane, change.sequence, change.id, entry_of(change))

    def judge(self, ledger: Ledger) -> Verdict:
        """Compare with the committed changes."""
        lost: list[str] = []
        invented: list[str] = []
        reordered = list(self._reordered)
        for document in {*ledger.documents, *self._documents}:
            promised, arrived = ledger.entries(document), self._documents[document]
            common = Counter(promised) & Counter(arrived)
            lost += map(str, (Counter(promised) - common).elements())
            invented += map(str, (Counter(arrived) - common).elements())
            if only(promised, common) != only(arrived, common):
                reordered.append(document)
        return Verdict(
            committed=ledger.count,
            arrivals=self.arrivals,
            repeats=self.arrivals - self.heard,
            lost=lost,
            invented=invented,
            reordered=reordered,
            unrecognisable=self._unrecognisable,
            gaps=[str(number) for number in range(1, max(self._ids, default=0)) if number not in self._ids],
        )

    def _hear(self, lane: Lane, sequence: int, change: str, entry: Entry) -> None:
        known, number = self._ids.get(sequence), self._sequences.get(change)
        if known is None and number is None:
            if sequence <= self._watermarks.get(lane, 0):
                self._reordered.append(f"#{sequence} ({entry}) behind #{self._watermarks[lane]} of lane {lane[2]}")
            self._watermarks[lane] = max(sequence, self._watermarks.get(lane, 0))
            self._ids[sequence], self._sequences[change] = change, sequence
            self._documents[entry.document].append(entry)
        elif (known, number) != (change, sequence):
            was = known or f"#{number}"
            self._unrecognisable.append(f"#{sequence} ({entry}) came as {change} after it was {was}")


def _listed(broken: Sequence[str], most: int = 5) -> str:
    more = f"; and {len(broken) - most} more" if len(broken) > most else ""
    return f": {'; '.join(broken[:most])}{more}" if broken else ""
