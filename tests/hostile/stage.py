"""The whole path with a tailer and a function of 512 MB each, and the outcomes of the documents that are written to it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tailrace.dev.tailer import TailerProcess
from tests.hostile.bench import ARRIVAL_SECONDS, Bench
from tests.hostile.mappers import DATABASE, INNOCENT
from tests.hostile.memory_group import resident_peak
from tests.hostile.outcome import PUBLISHED, Outcome
from tests.hostile.writes import Hostile

CACHE = "2GB"  # MB, of the server: with less it sometimes refuses a write of 16 MB
OPLOG = 8_000.0  # MB, room for every document


class Stage(Bench):
    """A database, a tailer that watches all of it, and the function of the queue."""

    def begin(self) -> None:
        self.stack.mongo.admin.command("replSetResizeOplog", 1, size=OPLOG)
        self.stack.mongo.admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig=f"cache_size={CACHE}")
        self._within = self.group()
        self._tailers = self._written = 0
        self._start()

    def received(self, messages: Sequence[dict[str, Any]]) -> None:
        for message in messages:
            self.arrivals.message(message)

    def write(self, number: int, entry: Hostile) -> Outcome:
        """Write an entry and an innocent document after it, and follow both to their outcomes."""
        name = entry.collection or f"entry{number}"
        Path(f"/proc/{self.tailer.process.pid}/clear_refs").write_text("5")  # This resets the peak.
        entry.write(self.stack.mongo[DATABASE], name)
        self.stack.mongo[DATABASE][INNOCENT].insert_one({"_id": number})
        self._written += 1
        self._before = set(self.arrivals.sent)
        function = kills = 0
        end = time.monotonic() + ARRIVAL_SECONDS
        while time.monotonic() < end and not self._settled(len(entry.expected)) and self.tailer.running:
            if response := self.pump():
                function, kills = max(function, response.peak), kills + response.killed
        return self._outcome(len(entry.expected), function, kills)

    def _settled(self, changes: int) -> bool:
        places = [*self.arrivals.but(INNOCENT, self._before), *self.arrivals.of(INNOCENT)]
        return len(places) == changes + self._written and all(self.arrivals.outcome(place) is not None for place in places)

    def _outcome(self, changes: int, function: int, kills: int) -> Outcome:
        places = self.arrivals.but(INNOCENT, self._before)
        became = [self.arrivals.outcome(place) for place in places]
        innocents = self.arrivals.of(INNOCENT)
        last = innocents[-1] if len(innocents) == self._written else None
        self._written = len(innocents)
        ended = "" if self.tailer.running else self._revive()
        return Outcome(
            changes=became + [None] * (changes - len(became)),
            operations=[self.arrivals.sent[place].operation_type for place in places],
            tailer=0 if ended else resident_peak(self.tailer.process.pid),
            function=function,
            kills=kills,
            ended=ended,
            innocent=f"{self.arrivals.delay(last):.2f} s" if last and self.arrivals.outcome(last) == PUBLISHED else "",
        )

    def _start(self) -> None:
        """Start a tailer on a stream that begins now."""
        self._tailers += 1
        settings = {
            "TAILER_STREAM": f"hostile{self._tailers}",
            "TAILER_DATABASE": DATABASE,
            "TAILER_COLLECTIONS": "",
        }
        environment = self.stack.tailer_environment | settings
        self.tailer = TailerProcess(self.stack.workspace, environment, f"tailer-{self._tailers}", within=self._within)
        self.tailer.wait_ready()

    def _revive(self) -> str:
        """Start another tailer after everything that was written, and return how the last one ended."""
        code = self.tailer.stop()
        last = self.tailer.process.log_tail(1)
        self._start()
        return f"exit code {code}: {last}"
