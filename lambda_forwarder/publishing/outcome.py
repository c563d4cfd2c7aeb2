"""The results of one publish so far. They are kept also if a later call fails."""

from collections.abc import Sequence

from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Refused


class Outcome:
    """The entries that the bus accepted, and those that it refused for good. Several threads may add to it."""

    def __init__(self) -> None:
        self.accepted: list[Entry] = []
        self.duplicates: list[Entry] = []  # accepted entries that the bus dropped, because it already had them
        self.refused: list[Refused] = []
        self._done: set[int] = set()  # by identity: two entries may have the same id

    def accept(self, entry: Entry, *, duplicate: bool) -> None:
        self.accepted.append(entry)
        if duplicate:
            self.duplicates.append(entry)
        self._done.add(id(entry))

    def refuse(self, entry: Entry, reason: str) -> None:
        self.refused.append(Refused(entry, reason))
        self._done.add(id(entry))

    def left(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """The entries that are neither accepted nor refused."""
        return [entry for entry in entries if id(entry) not in self._done]
