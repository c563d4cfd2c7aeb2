"""
Run the tests several times while other processes keep the processors busy: `python -P -m tests.repeat --times 5 --load 2`.

What follows is for pytest (`-n 2 tests/tailer`); without it, all tests run as `make test` does. Exit code 1 if a run failed.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BUSY = [sys.executable, "-I", "-S", "-c", "while True: pass"]
TEST = [sys.executable, "-P", "-m", "pytest", "-q", "-n", "4", "--dist", "loadfile"]


@contextmanager
def load(processes: int) -> Iterator[None]:
    """Keep so many processors busy, until the end."""
    busy = [subprocess.Popen(BUSY) for _ in range(processes)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def say(*texts: str) -> None:
    sys.stdout.write("; ".join(texts) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -P -m tests.repeat", description="Run the tests several times under load.")
    parser.add_argument("--times", type=int, default=5, help="runs (%(default)s)")
    parser.add_argument("--load", type=int, default=os.cpu_count(), help="busy processes beside them (%(default)s)")
    options, others = parser.parse_known_args(arguments)
    failed = []
    with load(options.load):
        for number in range(1, options.times + 1):
            say(f"run {number} of {options.times}, beside {options.load} busy processes")
            if subprocess.run([*TEST, *others], check=False).returncode:
                failed.append(number)
    say(f"{options.times - len(failed)} of {options.times} runs passed", *(f"run {number} failed" for number in failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
