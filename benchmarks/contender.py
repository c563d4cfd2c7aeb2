"""Runs one contender in its own process: ``python -P -m benchmarks.contender floor|tailing|naive COURSE RESULT``."""

import sys
from importlib import import_module
from pathlib import Path

import msgspec

from benchmarks.results import Course, Run


def main(name: str, course: str, result: str) -> None:
    """Run the course (JSON) and write the result to a file as JSON. Each contender imports only its own modules."""
    run: Run = import_module(f"benchmarks.{name}").run(msgspec.json.decode(course, type=Course))
    Path(result).write_bytes(msgspec.json.encode(run))


if __name__ == "__main__":
    main(*sys.argv[1:])
