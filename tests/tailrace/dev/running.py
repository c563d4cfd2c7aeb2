"""``tailrace dev`` as a process, whose output a test reads while it runs."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.eventually import eventually

SECONDS = 180.0  # far more than a start takes on a loaded machine


class Running:
    """The process and what it has printed."""

    def __init__(self, process: "subprocess.Popen[bytes]", printed: Path) -> None:
        self.process = process
        self._printed = printed

    @property
    def output(self) -> str:
        return self._printed.read_text(errors="replace")

    def wait_for(self, pattern: str) -> "re.Match[str]":
        """Return the first match in the output, which may be still to come."""
        assert eventually(lambda: bool(re.search(pattern, self.output)) or self.process.poll() is not None, SECONDS), (
            self.output
        )
        found = re.search(pattern, self.output)
        assert found, self.output
        return found

    @property
    def mongodb_uri(self) -> str:
        return self.wait_for(r"MongoDB +(\S+)")[1]

    @contextmanager
    def database(self, name: str) -> Iterator[Any]:
        with MongoClient[dict[str, Any]](self.mongodb_uri) as client:
            yield client[name]

    def stop(self) -> int:
        """Send SIGINT, as Ctrl-C does. Return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@contextmanager
def running(command: Sequence[str], folder: Path, environment: Mapping[str, str] = os.environ) -> Iterator[Running]:
    """Run the command in this folder until the block ends."""
    printed = folder.parent / "printed.txt"
    with printed.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield Running(process, printed)
    finally:
        process.kill()
        process.wait()
