"""The outcome of an entry of the table, and whether it is the expected one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PUBLISHED = ""
LOST = "lost"

Expected = Sequence[str]
"""Of each change, in order: ``PUBLISHED``, or a word of the reason for which it is parked."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """
    ``changes`` as in ``Expected``, with the whole reason, or None for a change with no outcome. ``tailer`` and ``function`` are
    their maximum memory in bytes; ``kills`` is how often the function exceeded its memory or time, ``ended`` how the tailer
    ended, if it did. ``innocent`` says how long the innocent change after it waited; empty if it never arrived.
    """

    changes: Sequence[str | None]
    operations: Sequence[str] = ()
    tailer: int = 0
    function: int
    kills: int
    ended: str = ""
    innocent: str

    def words(self) -> str:
        """Return the outcomes as text, each once."""
        said = ["published" if one == PUBLISHED else LOST if one is None else f"parked: {one}" for one in self.changes]
        return "; ".join(dict.fromkeys(said)) or "nothing to publish"


def problems(expected: Expected, outcome: Outcome, operations: Sequence[str] = ()) -> Iterator[str]:
    """Yield one text per deviation. ``operations`` are those of the changes, if they are known."""
    if outcome.ended:
        yield f"the tailer ended: {outcome.ended}"
    if outcome.kills:
        yield f"the function ran out of memory or time {outcome.kills} times"
    if not outcome.innocent:
        yield "what came behind it was not published"
    if len(outcome.changes) != len(expected):
        yield f"{len(outcome.changes)} changes instead of {len(expected)}"
    wrong = sum(not _fits(*pair) for pair in zip(expected, outcome.changes, strict=False))
    if wrong:
        yield f"{wrong} changes became something else than {' or '.join(sorted({one or 'published' for one in expected}))}"
    if operations and list(outcome.operations) != list(operations):
        yield "the changes are not in the order in which they were committed"


def _fits(expected: str, became: str | None) -> bool:
    return became is not None and (expected in became if expected else became == PUBLISHED)
