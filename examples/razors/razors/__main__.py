"""``python -P -m razors``: both stories on this machine, step by step. The exit code is 0 only if every hop happened."""

import argparse
import sys

from razors import order_story, subscription_story
from razors.hops import HopMissing
from razors.system import System
from tailrace.dev.screen import Screen
from tailrace.dev.workspace import StartFailed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -P -m razors", description="Razors by subscription, hop by hop.")
    parser.add_argument("--no-wait", action="store_true", help="invoke the redrive; do not wait for its schedule (a minute)")
    wait, screen = not parser.parse_args().no_wait, Screen()
    try:
        with System(screen) as system:
            order_story.outage(system)  # first, so that the minute of the redrive passes meanwhile
            subscription_story.tell(system)
            order_story.redrive(system, wait_for_schedule=wait)
    except (HopMissing, StartFailed) as failure:
        sys.stderr.write(f"\n{failure}\n")
        return 1
    screen.line(f"\nAll {system.hops.count} hops", "green", f" ({screen.elapsed:.1f} s in all)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
