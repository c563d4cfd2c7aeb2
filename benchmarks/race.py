"""Runs the contenders: a real mongod, the responder, and a process for each contender."""

import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from pymongo import MongoClient

from benchmarks import backlog
from benchmarks.responder import LISTENING
from benchmarks.results import Course, Round, Run
from benchmarks.tailing import READY
from tailrace.dev.aws import ACCOUNT, Aws
from tailrace.dev.loopback import HOST, free_port, wait_until
from tailrace.dev.mongod import Mongod
from tailrace.dev.started import Started
from tailrace.dev.workspace import Child, StartFailed, Workspace

REPOSITORY = Path(__file__).resolve().parents[1]
START_SECONDS = 30.0
RUN_SECONDS = 100.0  # for one run of one contender; none takes a tenth of it
UNMEASURED = 10  # single changes that open connections before the latency counts
PAUSE = 0.015  # seconds between two single changes: the tailer is idle when the next one comes


class Ground(Started):
    """
    A mongod, and an SQS that accepts everything. Use as a context manager.

    Raises:
        StartFailed: mongod, the responder or a contender did not come up or failed; with the end of its log.
    """

    def _start(self, undo: ExitStack) -> None:
        self.workspace = undo.enter_context(Workspace())
        mongod, port = Mongod(self.workspace), free_port()
        mongod.start()
        self.aws = Aws(f"http://{HOST}:{port}")
        responder = self.python("responder", str(port))
        mongod.wait_ready()
        wait_until(lambda: LISTENING in responder.log_tail(), responder, START_SECONDS)
        self.client: MongoClient[dict[str, Any]] = undo.enter_context(MongoClient(mongod.uri))
        self.mongodb_uri, self.queue_url = mongod.uri, f"{self.aws.endpoint_url}/{ACCOUNT}/payments.fifo"

    def python(self, module: str, *arguments: str, name: str = "") -> Child:
        """Run a module of the benchmarks in its own process."""
        command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
        return self.workspace.spawn(name or module, command, self.aws.environment | {"PYTHONPATH": str(REPOSITORY)})


class Race(Ground):
    """Every contender reads the same backlog from its beginning."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def _start(self, undo: ExitStack) -> None:
        super()._start(undo)
        self._course = Course(
            mongodb_uri=self.mongodb_uri, queue_url=self.queue_url, begin="", changes=0, seconds=self._seconds
        )

    @property
    def mongod_version(self) -> str:
        return str(self.client.server_info()["version"])

    def prepare(self, changes: int, progress: Callable[[int], None]) -> None:
        """Write the backlog and read it once, so that all rounds find the same caches."""
        self._course = replace(self._course, begin=backlog.write(self.client, changes, progress), changes=changes)
        self._run("floor")

    def round(self) -> Round:
        return Round(floor=self._run("floor"), tailer=self._run("tailing"), naive=self._run("naive"))

    def latencies(self, count: int) -> list[float]:
        """Return the seconds from the acknowledgement of a write until the queue accepted its change from an idle tailer."""
        course = replace(self._course, begin=backlog.next_moment(self.client), changes=UNMEASURED + count)
        child = self._begin("tailing", course)
        wait_until(lambda: READY in child.log_tail(), child, START_SECONDS)
        committed = []
        for payment in backlog.payments(UNMEASURED + count, random.Random(2_027)):
            backlog.collection(self.client).insert_one(payment)
            committed.append(time.monotonic())
            time.sleep(PAUSE)
        accepted = self._finish(child).accepted
        return [there - here for here, there in zip(committed, accepted, strict=True)][UNMEASURED:]

    def _run(self, contender: str) -> Run:
        return self._finish(self._begin(contender, self._course))

    def _begin(self, contender: str, course: Course) -> Child:
        name = f"{contender}-{len(self.workspace.children)}"
        return self.python("contender", contender, msgspec.json.encode(course).decode(), f"{name}.json", name=name)

    def _finish(self, child: Child) -> Run:
        result = self.workspace.folder / f"{child.name}.json"
        deadline = time.monotonic() + RUN_SECONDS
        while child.running and time.monotonic() < deadline:
            time.sleep(0.05)
        if child.stop(0) or not result.exists():
            raise StartFailed(
                f"{child.name} failed, or took more than {RUN_SECONDS:g} s; the end of its log:\n{child.log_tail()}"
            )
        return msgspec.json.decode(result.read_bytes(), type=Run)
