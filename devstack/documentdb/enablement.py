"""For what a cluster keeps change streams, and since when."""

from collections.abc import Iterable

from bson.timestamp import Timestamp

Names = tuple[str, str]
"""Database and collection. Empty ones are wildcards: a whole database, the whole cluster."""

_EVER, _NEVER = Timestamp(0, 0), Timestamp(2**32 - 1, 0)


class Enablement:
    """The periods in which change events of each scope were written."""

    def __init__(self) -> None:
        self._periods: list[tuple[Names, Timestamp, Timestamp]] = []

    @property
    def scopes(self) -> set[Names]:
        """What is enabled now."""
        return {scope for scope, _, end in self._periods if end == _NEVER}

    def replace(self, scopes: Iterable[Names]) -> None:
        """Act as if these scopes, and no others, had always been enabled."""
        self._periods = [(scope, _EVER, _NEVER) for scope in scopes]

    def begin(self, scope: Names, time: Timestamp) -> None:
        if scope not in self.scopes:
            self._periods.append((scope, time, _NEVER))

    def end(self, scope: Names, time: Timestamp) -> None:
        self._periods = [(one, begin, time if (one, end) == (scope, _NEVER) else end) for one, begin, end in self._periods]

    def covers(self, scope: Names) -> bool:
        """Whether all of the scope is enabled now."""
        return any(one in self.scopes for one in _around(*scope))

    def touches(self, scope: Names) -> bool:
        """Whether a part of the scope is enabled now."""
        return self.covers(scope) or any(scope in _around(*one) for one in self.scopes)

    def written(self, scope: Names, time: Timestamp) -> bool:
        """Whether an event of this time was written."""
        around = _around(*scope)
        return any(one in around and begin < time <= end for one, begin, end in self._periods)


def _around(database: str, collection: str) -> set[Names]:
    """Return the scopes that contain this one."""
    return {("", ""), (database, ""), (database, collection)}
