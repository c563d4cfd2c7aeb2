"""What became of the entries of one publish, whichever thread made the call and whether or not a later call fails."""

from collections.abc import Sequence

from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Refused


class Outcome:
    """The entries that the bus accepted and those that it refused for good. Several threads may take note of theirs."""

    def __init__(self) -> None:
        self.accepted: list[Entry] = []
        self.refused: list[Refused] = []
        self._deduplicated: list[Entry] = []
        self._done: set[int] = set()  # by identity: two entries may have one id

    @property
    def deduplicated(self) -> int:
        """How many of the accepted ones the bus says it had already."""
        return len(self._deduplicated)

    def accept(self, entry: Entry, *, deduplicated: bool) -> None:
        self.accepted.append(entry)
        if deduplicated:
            self._deduplicated.append(entry)
        self._done.add(id(entry))

    def refuse(self, entry: Entry, reason: str) -> None:
        self.refused.append(Refused(entry, reason))
        self._done.add(id(entry))

    def left(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Those of these that are neither."""
        return [entry for entry in entries if id(entry) not in self._done]
