"""One contender in a process of its own: ``python -P -m benchmarks.contender floor|tailing|naive COURSE RESULT``."""

import sys
from importlib import import_module
from pathlib import Path

import msgspec

from benchmarks.results import Course, Run


def main(name: str, course: str, result: str) -> None:
    """Run the course (JSON) and write the result to a file as JSON. No contender pays for the imports of another."""
    run: Run = import_module(f"benchmarks.{name}").run(msgspec.json.decode(course, type=Course))
    Path(result).write_bytes(msgspec.json.encode(run))


if __name__ == "__main__":
    main(*sys.argv[1:])
