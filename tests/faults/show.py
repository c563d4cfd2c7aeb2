"""One run: the writer writes, the reader reads, the faults of the schedule happen, and every change is accounted for."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from tailrace.dev.screen import Screen
from tests.faults import replica_set
from tests.faults.checker import Checker, Verdict
from tests.faults.reader import Reader
from tests.faults.stage import OWNER_SECONDS, WHOLE_SECONDS, Stage
from tests.faults.writer import Writer

TICK = 0.02  # seconds between two checks for due actions
PROGRESS = 10.0  # seconds between two lines
ARRIVAL_SECONDS = 30.0  # seconds without a new arrival after the last write, after which missing changes count as lost


class NeverCame(AssertionError):
    """A run waited in vain: a limit of time was exceeded, or the machine is far too slow."""


class Show:
    """The participants on a stage, and its clock. ``pace`` is in changes a second."""

    def __init__(self, stage: Stage, seed: int, screen: Screen, pace: float) -> None:
        self.stage = stage
        self.writer = Writer(stage.client, random.Random(seed + 1), pace)
        self.checker = Checker()
        self.done: Counter[str] = Counter()
        self._reader = Reader(stage.direct("sqs"), stage.resources.queue_url, self.checker.deliver)
        self._screen = screen
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._shown = time.monotonic()

    @property
    def broken(self) -> bool:
        """Whether something is wrong that no later event can correct."""
        return self.checker.broken or bool(self.stage.aws.witness.broken)

    def begin(self) -> None:
        """Wait for the first tailer's checkpoint before the first write, since a stream begins at its own now."""
        self.stage.keep_two()
        witness = self.stage.aws.witness
        self.until(lambda: bool(witness.latest and witness.latest.checkpoint), OWNER_SECONDS, "a first checkpoint")
        self.writer.start()
        self._reader.start()

    def conclude(self, changes: int) -> Verdict:
        """End all faults, write the remaining changes, and account for every one."""
        self._fair_weather()
        self.writer.hurry(changes - self.writer.ledger.count)
        self.until(lambda: not self.writer.hurrying, ARRIVAL_SECONDS + changes / 500, "the last changes to be written")
        self.writer.stop()
        self._all_arrived()
        self._reader.stop()
        witness = self.stage.aws.witness
        return replace(self.checker.judge(self.writer.ledger), intruders=witness.broken, deaths=self.stage.deaths)

    @property
    def counts(self) -> Counter[str]:
        """Return how often each kind happened."""
        return self.done + self.stage.aws.done

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Call the action while the schedule continues."""
        self._later.append((time.monotonic() + seconds, action))

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._tick()
            time.sleep(min(TICK, left))

    def until(self, happened: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until it happens. Raises: NeverCame: it did not happen in time."""
        deadline = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > deadline:
                raise NeverCame(f"{what}: not within {seconds:g} s; {self.progress()}")
            self.wait(TICK)

    def progress(self) -> str:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(self.counts.items()))
        return f"{self.writer.ledger.count:,} committed, {self.checker.heard:,} heard; {counts}"

    def _tick(self) -> None:
        now = time.monotonic()
        due = [action for at, action in self._later if at <= now]
        self._later = [one for one in self._later if one[0] > now]
        for action in due:
            action()
        self.stage.keep_two()
        if self.writer.failure:
            raise self.writer.failure
        if now - self._shown > PROGRESS:
            self._shown = now
            self._screen.step(self.progress(), "dim")

    def _fair_weather(self) -> None:
        self.until(lambda: not self._later and not self.stage.aws.armed, OWNER_SECONDS, "the last faults to be over")
        for network in (self.stage.mongodb_network, self.stage.aws_network):
            network.calm()
        self.until(lambda: replica_set.whole(self.stage.mongod), WHOLE_SECONDS, "a whole replica set")

    def _all_arrived(self) -> None:
        heard, since = -1, time.monotonic()
        while self.checker.heard < self.writer.ledger.count and time.monotonic() - since < ARRIVAL_SECONDS:
            if self.checker.heard != heard:
                heard, since = self.checker.heard, time.monotonic()
            self.wait(0.1)
