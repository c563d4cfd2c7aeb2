"""``python -P -m benchmarks.streams``: the memory of a task with 1, 5 and 20 streams, as owner and on standby."""

import os
import sys
import time

from benchmarks.memory import rss
from devstack import DevStack
from tailer.parts import Parts
from tailer.settings.settings import load
from tailrace.dev.screen import Screen
from tailrace.dev.tailer import TailerProcess

COUNTS = (1, 5, 20)
SETTLED = 3.0  # seconds after a task is at work
HELD = "600"  # seconds: longer than a row takes


def main() -> int:
    """Print a row for each count."""
    screen = Screen()
    with DevStack(forwarder=False) as stack:
        for count in COUNTS:
            standby = on_standby(stack, count)
            tailing = at_work(stack, count)
            screen.line(f"{count} streams: RSS {tailing:.0f} MB while tailing, {standby:.0f} MB on standby")
    return 0


def at_work(stack: DevStack, count: int) -> float:
    """Return the MB of a task that owns one of the streams."""
    tailer = stack.start_tailer(config_toml=tables("free", count), collections="")
    tailer.wait_ready()
    return settled(tailer)


def on_standby(stack: DevStack, count: int) -> float:
    """Return the MB of a standby."""
    given = stack.tailer_environment | {
        "TAILER_CONFIG_TOML": tables("held", count),
        "TAILER_COLLECTIONS": "",
        "TAILER_LEASE_SECONDS": HELD,
    }
    os.environ.update(given)
    for settings in load():
        if Parts(settings).candidate.try_acquire() is None:
            raise RuntimeError(f"{settings.stream} has an owner already")
    return settled(stack.start_tailer(config_toml=tables("held", count), collections="", lease_seconds=HELD))


def settled(tailer: TailerProcess) -> float:
    """Return the memory of a task after some seconds, and stop the task."""
    time.sleep(SETTLED)
    taken = rss(tailer)
    tailer.stop()
    return taken


def tables(name: str, count: int) -> str:
    """Return the tables of this many streams, each of its own database."""
    return "\n".join(f"[{name}-{count}-{number}]\ndatabase = '{name}-{number}'" for number in range(count))


if __name__ == "__main__":
    sys.exit(main())
