"""
Tasks that died at one position, one after another: what the record keeps of them, and how careful it makes the next one.

A task that dies without a word (out of memory, a crash) is followed by another, which does the same where a change kills it.
After ``LOOP`` deaths without progress the next works in runs of ``RUN`` changes, each remembered before the next is read; after
two deaths in one run on one change at a time, noted before it is decoded. What was in hand at ``LIMIT`` deaths is poison.
Whatever else ends tasks is never blamed on a change: none is noted while a task only waits.
"""

from msgspec import Struct
from msgspec.structs import replace

from tailer.change_ids import short

LOOP = 3  # deaths without progress; two may be bad luck
RUN = 100  # changes
SPAN = 100_000  # changes: more than a task has in hand, and than it sends within the second until it remembers that
ONE = 1
LIMIT = 3  # deaths with the same change in hand


class Deaths(Struct, frozen=True, kw_only=True):
    """
    ``count`` tasks in a row died before the position moved. The owner works on ``careful`` changes at a time (0: as many as
    there are) until ``until`` were sent. ``change`` is the last one that was begun alone, by its short id; ``working`` says
    that it still is, and ``begun`` how many tasks died over it.
    """

    count: int = 0
    careful: int = 0
    until: int = 0
    change: str = ""
    working: bool = False
    begun: int = 0

    def another(self, sequence: int) -> "Deaths":
        """After the death of an owner that had sent so many changes."""
        if self.careful == ONE and not self.working:  # no change did this, so care finds none
            return Deaths(count=1)
        count, careful, until = self.count + 1, self.careful, self.until
        if careful == RUN and count > 1:
            careful, until = ONE, sequence + RUN
        elif not careful and count >= LOOP:
            careful, until = RUN, sequence + SPAN
        return replace(self, count=count, careful=careful, until=until, working=False, begun=self.begun + self.working)

    def handed_over(self) -> "Deaths":
        """After an owner that let go by itself."""
        return replace(self, working=False)

    def begins(self, change: str) -> "Deaths":
        """Before the change with this id is decoded."""
        same = self.change == short(change)
        return replace(self, change=short(change), working=True, begun=self.begun if same else 0)

    def goes_on(self) -> "Deaths":
        """The change in hand has not killed the task: from here on it only waits for the queue, or for a neighbour."""
        return replace(self, change="", working=False, begun=0) if self.working else self

    def moved(self, sequence: int, *, caught_up: bool) -> "Deaths":
        """After the position moved, to so many changes sent; ``caught_up``: it is past all that the dead may have read."""
        if caught_up or sequence >= self.until:
            return NONE
        return replace(self, count=0, change="", working=False, begun=0)

    def verdict(self, change: str) -> str:
        """Why the change with this id must not be decoded; empty where it may be."""
        if self.begun < LIMIT or self.change != short(change):
            return ""
        return f"{self.begun} tasks died while they decoded it, probably because they ran out of memory"

    def __str__(self) -> str:
        """For people; empty where there is nothing to say."""
        if not (self.count or self.careful):
            return ""
        hand = f", {self.begun} while the change {self.change} was decoded" if self.begun else ""
        pace = f"; the owner works on {self.careful} at a time" if self.careful else ""
        return f"{self.count} in a row at this position{hand}{pace}"


NONE = Deaths()
