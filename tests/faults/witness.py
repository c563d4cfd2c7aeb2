"""The witness of the checkpoint store sees every write that the store accepted, and who wrote it."""

import time
from dataclasses import dataclass, field

from tailer.model import Record


@dataclass
class Witness:
    """Each write must come from the current owner: fences and sequences only grow, and no version is skipped."""

    writes: int = 0
    latest: Record | None = None
    broken: list[str] = field(default_factory=list)
    owners: int = 0  # how often the lease changed hands
    since: float = 0.0  # monotonic time of the last change

    @property
    def owner(self) -> str:
        """Return who holds the lease according to the store, or an empty text."""
        return self.latest.owner if self.latest else ""

    def accepted(self, record: Record) -> None:
        """Check a write that the store accepted."""
        last = self.latest
        self.writes += 1
        if last is None or record.fence != last.fence:
            self.owners += 1
            self.since = time.monotonic()
        if last is not None and (reason := _wrong(last, record)):
            was = f"{last.owner or 'nobody'} at fence {last.fence}, sequence {_sequence(last)}"
            self.broken.append(f"{reason}: {record.owner} at fence {record.fence}, sequence {_sequence(record)}, after {was}")
        self.latest = record


def _wrong(last: Record, record: Record) -> str:
    if record.fence < last.fence:
        return "written by a former owner"
    if record.fence == last.fence and (not last.owner or record.owner not in ("", last.owner)):
        return "written by two under one fence"
    if record.version != last.version + 1:
        return "written over a version it had not seen"
    if _sequence(record) < _sequence(last):
        return "went back"
    return ""


def _sequence(record: Record) -> int:
    return record.checkpoint.sequence if record.checkpoint else 0
