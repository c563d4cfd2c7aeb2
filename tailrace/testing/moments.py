"""The time and the number of each change that a builder makes: the same in every run."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

START = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of a builder's first change, unless the test says another one. Each change is a second after the one before."""


class Moment(NamedTuple):
    """When a change was committed, and its number."""

    time: datetime
    number: int

    @property
    def seconds(self) -> int:
        return int(self.time.timestamp())

    def digest(self, text: str) -> str:
        """Hex text that differs for each change of each builder."""
        return hashlib.sha256(f"{text}\n{self.number}\n{self.time.isoformat()}".encode()).hexdigest()[:40].upper()


class Moments:
    """Numbers the changes of one builder."""

    def __init__(self) -> None:
        self._numbers: Iterator[int] = count(1)

    def next(self, at: datetime | None) -> Moment:
        """Return the next moment, at this time if there is one."""
        number = next(self._numbers)
        time = at or START + timedelta(seconds=number - 1)
        if time.tzinfo is None:
            raise ValueError(f"at={time} has no UTC offset: datetime(…, tzinfo=UTC)")
        return Moment(time.astimezone(UTC), number)
