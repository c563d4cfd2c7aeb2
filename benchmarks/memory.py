"""``python -P -m benchmarks.memory``: the memory of the tailer process before, during and after a backlog."""

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from benchmarks.race import Ground
from tailrace.dev.screen import Screen
from tailrace.dev.tailer import TailerProcess

DATABASE = "payments"
OPLOG = 990.0 * 8  # MB, room for the whole backlog
BLOCK = 5_000  # documents in one write
LARGE, LARGE_SIZE = 100, 5_000_000  # documents, and the bytes of each
TIMEOUT = 900.0  # seconds for one backlog
WORDS = "monthly direct debit of a family plan, renewed; "


class Scene(Ground):
    """A tailer between the two."""

    def _start(self, undo: ExitStack) -> None:
        super()._start(undo)
        self.client.admin.command("replSetResizeOplog", 1, size=OPLOG)

    def tailer(self) -> TailerProcess:
        """Yield a ready tailer, as it runs in production."""
        settings = {
            "TAILER_MONGODB_URI": self.mongodb_uri,
            "TAILER_QUEUE_URL": self.queue_url,
            "TAILER_CHECKPOINTS": "mongodb:",
            "TAILER_STREAM": "payments",
            "TAILER_DATABASE": DATABASE,
            "TAILER_LEASE_SECONDS": "2",
        }
        tailer = TailerProcess(self.workspace, self.aws.environment | settings)
        tailer.wait_ready()
        return tailer


def main() -> int:
    """Print the memory with both backlogs."""
    parser = argparse.ArgumentParser(prog="python -P -m benchmarks.memory", description=__doc__)
    parser.add_argument("--changes", type=int, default=1_000_000, help="how long the backlog of small changes is")
    changes = parser.parse_args().changes
    screen = Screen()
    with Scene() as scene:
        measure(screen, scene, f"{changes:,} changes of 0.3 kB", changes, lambda: _small(scene.client, changes))
        measure(screen, scene, f"{LARGE} changes of 5 MB", LARGE, lambda: _large(scene.client))
    return 0


def measure(screen: Screen, scene: Scene, what: str, changes: int, write: Callable[[], None]) -> None:
    """Return the RSS of a tailer while it is idle, during the backlog, and after the backlog."""
    first = scene.tailer()
    time.sleep(2)
    before = rss(first)
    first.stop()
    screen.step(f"writing {what} while no tailer runs")
    write()
    tailer, began, seen = scene.tailer(), time.monotonic(), []
    while sent(tailer) < changes and time.monotonic() - began < TIMEOUT:
        seen.append(rss(tailer))
        time.sleep(0.1)
    seconds = time.monotonic() - began
    time.sleep(5)
    after = rss(tailer)
    complete = sent(tailer) == changes
    tailer.stop()
    screen.line(
        f"{what}: RSS before {before:.0f} MB, during at most {max(seen):.0f} MB, after {after:.0f} MB; "
        f"{'all' if complete else 'NOT all'} sent in {seconds:.0f} s"
    )


def rss(tailer: TailerProcess) -> float:
    """Return the resident memory of the process, in MB."""
    status = Path(f"/proc/{tailer.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def sent(tailer: TailerProcess) -> int:
    """Return how many changes of this process the queue has accepted."""
    return int(float(tailer.metrics().partition('tailrace_changes_sent_total{stream="payments"} ')[2].split("\n")[0] or 0))


def _small(client: "MongoClient[Any]", changes: int) -> None:
    for begin in range(0, changes, BLOCK):
        block = [
            {"number": number, "status": "created", "note": WORDS * 3} for number in range(begin, min(begin + BLOCK, changes))
        ]
        client[DATABASE].payments.insert_many(block, ordered=False)


def _large(client: "MongoClient[Any]") -> None:
    for number in range(LARGE):
        client[DATABASE].large.insert_one({"number": number, "text": WORDS * (LARGE_SIZE // len(WORDS))})


if __name__ == "__main__":
    sys.exit(main())
