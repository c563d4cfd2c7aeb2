"""``python -P -m examples.razors``: run the whole scenario on this machine, step by step."""

import argparse
import sys

from examples.razors.scenario import run
from tailrace.dev.screen import Screen
from tailrace.dev.workspace import StartFailed
from tailrace.text.legible import legible


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -P -m examples.razors", description="Razors by subscription, hop by hop.")
    parser.add_argument(
        "--no-wait", action="store_true", help="invoke the redrive rather than wait for its schedule (a minute)"
    )
    chosen = parser.parse_args()
    try:
        return run(Screen(), wait_for_schedule=not chosen.no_wait)
    except StartFailed as failure:
        sys.stderr.write(f"\n{legible(str(failure), lines=True)}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
