"""
Crashes of tasks at one position of a stream, and the search for the change that causes them.

A task that crashes (for example out of memory) does not release its lease. If a change causes the crash, the next task crashes
too. After ``CRASH_LOOP`` crashes without progress the next task reads batches of ``SMALL_BATCH`` changes and saves after each.
After two crashes in one such batch the next task reads one change at a time and records it before decoding it. A change that
``POISON_AFTER`` tasks crashed on is poison. No change is recorded while a task only waits, so other causes blame no change.
"""

from msgspec import Struct
from msgspec.structs import replace

from tailer.resume_tokens import short

CRASH_LOOP = 3  # crashes without progress; two may be a coincidence
SMALL_BATCH = 100  # changes
SPAN = 100_000  # changes; more than a task reads ahead, and more than it sends between two saves
ONE = 1
POISON_AFTER = 3  # crashes while the same change was decoded


class Crashes(
    Struct, frozen=True, kw_only=True, rename={"batch_limit": "careful", "decoding": "working", "crashes_on_change": "begun"}
):
    """
    ``count`` tasks in a row crashed before the position moved. The owner reads batches of at most ``batch_limit`` changes (0:
    no limit) until the sequence ``until``. ``change`` is the short id of the last change that was decoded alone; ``decoding``:
    this has not ended; ``crashes_on_change``: how many tasks crashed meanwhile.
    """

    count: int = 0
    batch_limit: int = 0
    until: int = 0
    change: str = ""
    decoding: bool = False
    crashes_on_change: int = 0

    def after_crash(self, sequence: int) -> "Crashes":
        """The next state after an owner crashed that had sent the changes up to ``sequence``."""
        if self.batch_limit == ONE and not self.decoding:  # no change caused this crash, so the search would find none
            return Crashes(count=1)
        count, limit, until = self.count + 1, self.batch_limit, self.until
        if limit == SMALL_BATCH and count > 1:
            limit, until = ONE, sequence + SMALL_BATCH
        elif not limit and count >= CRASH_LOOP:
            limit, until = SMALL_BATCH, sequence + SPAN
        crashes_on_change = self.crashes_on_change + self.decoding
        return replace(self, count=count, batch_limit=limit, until=until, decoding=False, crashes_on_change=crashes_on_change)

    def after_release(self) -> "Crashes":
        return replace(self, decoding=False)

    def before_decoding(self, change: str) -> "Crashes":
        same = self.change == short(change)
        return replace(self, change=short(change), decoding=True, crashes_on_change=self.crashes_on_change if same else 0)

    def after_decoding(self) -> "Crashes":
        """The next state after the change was decoded and packed: from now on the task only waits for a server."""
        return replace(self, change="", decoding=False, crashes_on_change=0) if self.decoding else self

    def after_progress(self, sequence: int, *, caught_up: bool) -> "Crashes":
        """
        The next state after the position moved to ``sequence``. ``caught_up``: it is after everything that a crashed task may
        have read.
        """
        if caught_up or sequence >= self.until:
            return NONE
        return replace(self, count=0, change="", decoding=False, crashes_on_change=0)

    def poison_reason(self, change: str) -> str:
        """Why the change with this id must not be decoded. Empty if it may be."""
        if self.crashes_on_change < POISON_AFTER or self.change != short(change):
            return ""
        return f"{self.crashes_on_change} tasks died while they decoded it, probably because they ran out of memory"

    def __str__(self) -> str:
        """A sentence for ``tailer status``. Empty if there were no crashes."""
        if not (self.count or self.batch_limit):
            return ""
        on_change = f", {self.crashes_on_change} while the change {self.change} was decoded" if self.crashes_on_change else ""
        limit = f"; the owner's batch limit is {self.batch_limit}" if self.batch_limit else ""
        return f"{self.count} in a row at this position{on_change}{limit}"


NONE = Crashes()
