"""Tasks that die at one position on a real server: the change that causes it becomes a stub, and no other."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import MongoClient

from devstack import DevStack
from tailer.crashes import CRASH_LOOP, NONE, POISON_AFTER
from tailer.model import Record
from tailer.stores.dynamodb import DynamodbCheckpoints
from tailrace.dev.tailer import TailerProcess
from tailrace.wire.change import Change
from tests.queue import received
from tests.tailer.mortal import DEADLY

Mongo = MongoClient[dict[str, Any]]
MORTAL = ["-P", "-m", "tests.tailer.mortal", "run"]
SECONDS = 90.0
KILLS = CRASH_LOOP + 1 + POISON_AFTER + 2  # more deaths than make a change in hand poison


class Deployment:
    """Run one task of one stream as ECS does: a dead task is replaced."""

    def __init__(self, stack: DevStack, name: str, queue_url: str, **settings: str) -> None:
        self._stack, self._name, self._queue_url = stack, name, queue_url
        self._environment = stack.environment_of(name, queue_url=queue_url, lease_seconds=1) | settings
        self.deaths = 0
        self.task = self._start()

    def record(self) -> Record:
        store = DynamodbCheckpoints(self._stack.aws("dynamodb"), self._stack.resources.table)
        return store.read(self._name) or Record(stream=self._name)

    def until(self, sequence: int) -> list[Change]:
        """Return the changes in the queue once the checkpoint has this sequence."""
        changes: list[Change] = []
        end = time.monotonic() + SECONDS
        while not ((at := self.record().checkpoint) and at.sequence >= sequence):
            assert time.monotonic() < end, self.task.process.log_tail()
            if not self.task.running:
                self.replace_task()
            changes += received(self._stack, self._queue_url)
            time.sleep(0.05)
        return changes + received(self._stack, self._queue_url)

    def replace_task(self) -> None:
        self.task.kill()
        self.deaths += 1
        self.task = self._start()

    def _start(self) -> TailerProcess:
        def mortal(command: list[str]) -> list[str]:
            return [sys.executable, *MORTAL]

        return TailerProcess(self._stack.workspace, self._environment, f"{self._name}-{self.deaths}", within=mortal)


@contextmanager
def deployment(stack: DevStack, fresh: str, queue_url: str, **settings: str) -> Iterator[Deployment]:
    running = Deployment(stack, fresh, queue_url, **settings)
    try:
        running.task.wait_ready()
        yield running
    finally:
        running.task.stop()


def test_change_that_kills_every_task_becomes_a_stub(stack: DevStack, mongo: Mongo, fresh: str, queue_url: str) -> None:
    """It is named with the deaths. All others arrive whole, and careful mode ends."""
    with deployment(stack, fresh, queue_url) as tasks:
        mongo[fresh].payments.insert_many(
            [{"_id": number, **({"text": DEADLY} if number == 7 else {})} for number in range(20)]
        )
        changes = tasks.until(20)
        assert tasks.deaths == CRASH_LOOP + 1 + POISON_AFTER
        stubs = {change.document_key["_id"]: change.poison.reason for change in changes if change.poison}
        assert list(stubs) == [7]
        assert f"{POISON_AFTER} tasks died" in stubs[7]
        assert {change.document_key["_id"] for change in changes if not change.poison} == set(range(20)) - {7}
        mongo[fresh].payments.insert_one({"_id": "after"})
        [after] = tasks.until(21)
        assert after.full_document == {"_id": "after"}
        while tasks.record().crashes != NONE:  # The test's own timeout ends the wait.
            mongo[f"{fresh}-other"].moves.insert_one({})  # This moves the position of a stream with nothing left to read.
            time.sleep(0.05)


def test_fatal_change_stops_the_stream_with_a_recorded_problem(
    stack: DevStack, mongo: Mongo, fresh: str, queue_url: str
) -> None:
    """Nothing is skipped: the task exits with 4 and names the document and the deaths."""
    with deployment(stack, fresh, queue_url, TAILER_ON_POISON="stop") as tasks:
        mongo[fresh].payments.insert_one({"_id": 7, "text": DEADLY})
        end = time.monotonic() + SECONDS
        while not (problem := tasks.record().problem):
            assert time.monotonic() < end, tasks.task.process.log_tail()
            if not tasks.task.running:
                tasks.replace_task()
            time.sleep(0.05)
        assert f"{fresh}.payments/7" in problem
        assert f"{POISON_AFTER} tasks died" in problem
        assert tasks.record().problem_code == 4


@pytest.mark.parametrize("written", ["before", "after"])
def test_tasks_killed_while_waiting_park_no_change(
    stack: DevStack, mongo: Mongo, fresh: str, queue_url: str, written: str
) -> None:
    """Whether the stream is idle or has a backlog."""
    with deployment(stack, fresh, queue_url) as tasks:
        for _ in range(KILLS):
            if written == "before":
                mongo[fresh].payments.insert_one({})
            tasks.task.wait_ready()
            tasks.replace_task()
        mongo[fresh].payments.insert_one({"_id": "last"})
        count = 1 + (KILLS if written == "before" else 0)
        changes = tasks.until(count)
        assert {change.sequence for change in changes} == set(range(1, count + 1))
        assert not [change.poison for change in changes if change.poison]
