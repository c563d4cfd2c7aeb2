"""Whether what a consumer received is what the database committed: nothing lost, nothing invented, in order, recognisable."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from devstack.consumer import Received
from devstack.payments import Committed

Name = TypeVar("Name")

Named = tuple[str, str]  # a document and an event's name


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Each field but the counts and ``repeats`` is a broken promise where it is not empty."""

    committed: int
    arrivals: int
    repeats: tuple[Received, ...]  # arrivals of an id that had arrived before; allowed: delivery is at least once
    missing: tuple[Named, ...]  # committed, never heard of
    unexpected: tuple[Named, ...]  # heard of, never committed
    doubled: tuple[Named, ...]  # one commit under two ids: no consumer could recognise the repeat
    reordered: tuple[str, ...]  # documents whose events first arrived in another order than they were committed in

    @property
    def holds(self) -> bool:
        return not (self.missing or self.unexpected or self.doubled or self.reordered)

    def lines(self) -> list[str]:
        """The same in words, one promise a line."""
        heard = self.committed - len(self.missing)
        return [
            f"{_mark(self.missing)} every change accounted for: {heard} of {self.committed}{_listed(self.missing)}",
            f"{_mark(self.unexpected)} no event without a commit{_listed(self.unexpected)}",
            f"{_mark(self.reordered)} in order per document{_listed(self.reordered)}",
            f"{_mark(self.doubled)} a repeat carries the same metadata.id{_listed(self.doubled)}",
            f"     {self.arrivals} arrivals, {len(self.repeats)} of them repeats" + self._repeated(),
        ]

    def _repeated(self) -> str:
        """Which, by their numbers in the stream."""
        numbers = sorted({event.position[1] for event in self.repeats})
        return f" (changes {' '.join(f'#{number}' for number in numbers)})" if numbers else ""


def judge(committed: Sequence[Committed], received: Sequence[Received]) -> Verdict:
    """Compare commits, in the order they were made, with arrivals, in the order they came."""
    first, repeats = _first_arrivals(received)
    promised = Counter((one.document, one.event) for one in committed)
    heard = Counter((event.document, event.name) for event in first)
    surplus = heard - promised
    return Verdict(
        committed=len(committed),
        arrivals=len(received),
        repeats=tuple(repeats),
        missing=tuple((promised - heard).elements()),
        unexpected=tuple(named for named in surplus if named not in promised),
        doubled=tuple(named for named in surplus if named in promised),
        reordered=_reordered(committed, first),
    )


def _first_arrivals(received: Iterable[Received]) -> tuple[list[Received], list[Received]]:
    """Arrivals of new ids, and arrivals of ids that had been there before."""
    seen: set[str] = set()
    first: list[Received] = []
    repeats: list[Received] = []
    for event in received:
        (repeats if event.id in seen else first).append(event)
        seen.add(event.id)
    return first, repeats


def _reordered(committed: Sequence[Committed], first: Sequence[Received]) -> tuple[str, ...]:
    """
    Documents whose events came in another order than their commits, or with positions that do not grow.

    Only events that both sides know count: a missing one is missing, and not out of order too.
    """
    written = _by_document((one.document, one.event) for one in committed)
    arrived = _by_document((event.document, event.name) for event in first)
    positions = defaultdict(list)
    for event in first:
        positions[event.document].append(event.position)
    broken = []
    for document, names in arrived.items():
        common = Counter(names) & Counter(written[document])
        grows = positions[document] == sorted(positions[document])
        if not grows or only(names, common) != only(written[document], common):
            broken.append(document)
    return tuple(broken)


def _by_document(named: Iterable[Named]) -> defaultdict[str, list[str]]:
    names = defaultdict(list)
    for document, name in named:
        names[document].append(name)
    return names


def only(names: Iterable[Name], counts: Counter[Name]) -> list[Name]:
    """The names in their order, each no more often than counted."""
    left, kept = Counter(counts), []
    for name in names:
        if left[name] > 0:
            left[name] -= 1
            kept.append(name)
    return kept


def _mark(broken: Sequence[object]) -> str:
    return "FAIL" if broken else "ok  "


def _listed(items: Sequence[object], most: int = 5) -> str:
    """The first few, to look for in the logs."""
    if not items:
        return ""
    shown = [" ".join(item) if isinstance(item, tuple) else str(item) for item in items[:most]]
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return f" ({', '.join(shown)}{more})"
