"""Compares the events that a consumer received with the commits of the database."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from devstack.payments import Committed
from tailrace.dev.consumer import Received

Name = TypeVar("Name")

Named = tuple[str, str]  # a document and an event's name


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result. A guarantee is broken if ``missing``, ``unexpected``, ``doubled`` or ``reordered`` is not empty."""

    committed: int
    arrivals: int
    repeats: tuple[Received, ...]  # arrivals of an id that arrived before: allowed, as delivery is at least once
    missing: tuple[Named, ...]  # committed, and no event arrived
    unexpected: tuple[Named, ...]  # arrived, and never committed
    doubled: tuple[Named, ...]  # one commit under two ids: a consumer cannot recognise the repeat
    reordered: tuple[str, ...]  # documents whose events first arrived in another order than their commits

    @property
    def holds(self) -> bool:
        return not (self.missing or self.unexpected or self.doubled or self.reordered)

    def lines(self) -> list[str]:
        """Return one line for each guarantee."""
        heard = self.committed - len(self.missing)
        return [
            f"{_mark(self.missing)} every change accounted for: {heard} of {self.committed}{_listed(self.missing)}",
            f"{_mark(self.unexpected)} no event without a commit{_listed(self.unexpected)}",
            f"{_mark(self.reordered)} in order per document{_listed(self.reordered)}",
            f"{_mark(self.doubled)} a repeat carries the same metadata.id{_listed(self.doubled)}",
            f"     {self.arrivals} arrivals, {len(self.repeats)} of them repeats" + self._repeated(),
        ]

    def _repeated(self) -> str:
        """Return the numbers of the repeated changes."""
        numbers = sorted({event.position[1] for event in self.repeats})
        return f" (changes {' '.join(f'#{number}' for number in numbers)})" if numbers else ""


def judge(committed: Sequence[Committed], received: Sequence[Received]) -> Verdict:
    """Compare the commits with the arrivals, each in their order."""
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
    """Return the first arrival of each id, and the repeats."""
    seen: set[str] = set()
    first: list[Received] = []
    repeats: list[Received] = []
    for event in received:
        (repeats if event.id in seen else first).append(event)
        seen.add(event.id)
    return first, repeats


def _reordered(committed: Sequence[Committed], first: Sequence[Received]) -> tuple[str, ...]:
    """
    Return the documents whose events arrived in another order than their commits, or with positions that do not grow.

    A missing event is not out of order too: only events that both sides have count.
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
    """Return the names in their order, each at most as often as its count."""
    left, kept = Counter(counts), []
    for name in names:
        if left[name] > 0:
            left[name] -= 1
            kept.append(name)
    return kept


def _mark(broken: Sequence[object]) -> str:
    return "FAIL" if broken else "ok  "


def _listed(items: Sequence[object], most: int = 5) -> str:
    """Return the first few items as text."""
    if not items:
        return ""
    shown = [" ".join(item) if isinstance(item, tuple) else str(item) for item in items[:most]]
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return f" ({', '.join(shown)}{more})"
