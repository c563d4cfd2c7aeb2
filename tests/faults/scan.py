"""A server that scans history for minutes before it responds to a resume: the tailer waits and reports it."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import msgspec

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.model import Record
from tailer.stores.dynamodb import DynamodbCheckpoints
from tailrace.dev.loopback import get
from tailrace.dev.screen import Screen
from tailrace.dev.tailer import TailerProcess
from tailrace.dev.workspace import StartFailed
from tests.eventually import eventually
from tests.queue import received

NAME = "scanned"
SETTLED = 60.0  # seconds that a start, and the change after the scan, may take
LOOK = 1.0  # seconds between two reads of the state


class _ScannedStream:
    """Two tailers with production settings, one of them on standby, connected to a server that will scan."""

    def __init__(self, exit_stack: ExitStack) -> None:
        self.stack = exit_stack.enter_context(DevStack(forwarder=False))
        self.server = exit_stack.enter_context(DocumentdbDialect(self.stack.mongod.ports[0]))
        self.server.enabled = {(NAME, "")}
        self.store = DynamodbCheckpoints(self.stack.aws("dynamodb"), self.stack.resources.table)
        self.payments = self.stack.mongo[NAME].payments
        self.unhealthy = 0

    def start(self, name: str) -> TailerProcess:
        names = {"TAILER_STREAM": NAME, "TAILER_DATABASE": NAME, "TAILER_COLLECTIONS": ""}
        settings = self.stack.tailer_environment | names | {"TAILER_MONGODB_URI": self.server.uri}
        return TailerProcess(self.stack.workspace, settings, name)

    @property
    def record(self) -> Record:
        return self.store.read(NAME) or Record(stream=NAME)

    def state(self, tailer: TailerProcess) -> str:
        """Return the body of ``/healthz``, and count responses that are not healthy."""
        status, text = get(tailer.port, "/healthz")
        self.unhealthy += status != 200
        return f"{status} {text.strip()}"

    def delivered(self) -> list[Any]:
        return [change.document_key["_id"] for change in received(self.stack, self.stack.resources.queue_url)]


def main(screen: Screen, seconds: float) -> int:
    """Run it once. The exit code is 0 only if the tailer stayed healthy during one scan and the change arrived once."""
    with ExitStack() as exit_stack:
        watched = _ScannedStream(exit_stack)
        screen.step("a tailer delivers a change, and is stopped")
        first = watched.start("first")
        first.wait_ready()
        watched.payments.insert_one({"_id": "before"})
        _until(lambda: watched.record.checkpoint is not None and watched.record.checkpoint.sequence == 1)
        first.stop()
        watched.payments.insert_one({"_id": "after"})
        before = len(watched.server.reads)
        watched.server.scan = seconds
        screen.step(f"two are started; the server answers the resume after {seconds:g} s")
        owner = watched.start("owner")
        _until(lambda: watched.record.owner != "")
        fence, began = watched.record.fence, time.monotonic()
        standby = watched.start("spare")
        _until(lambda: get(standby.port, "/healthz")[0] and get(owner.port, "/healthz")[0])
        _follow(screen, watched, (owner, standby), began, seconds)
        took, ids = time.monotonic() - began, watched.delivered()
        reads = len(watched.server.reads) - before
        screen.step(f"the change arrived {took:.0f} s after the resume: {ids}")
        problems = [
            text
            for text, wrong in {
                f"{watched.unhealthy} looks found a task unhealthy": watched.unhealthy,
                f"the server was asked by {reads} cursors, not one": reads != 1,
                f"delivered {ids}": ids != ["before", "after"],
                "the lease changed hands": watched.record.fence != fence,
                "it did not take that long": took < seconds,
            }.items()
            if wrong
        ]
        for line in _logged(owner):
            screen.line(f"    {line}")
    screen.line(f"  {'FAIL' if problems else 'ok  '} a scan of {seconds:g} s: one read, healthy throughout {problems or ''}")
    return int(bool(problems))


def _follow(screen: Screen, watched: _ScannedStream, tailers: Sequence[TailerProcess], began: float, seconds: float) -> None:
    """Wait until the change is delivered. Print a line each minute and whenever a state changes."""
    shown, next_line = "", 0.0
    while watched.record.checkpoint is None or watched.record.checkpoint.sequence < 2:
        states = [watched.state(one) for one in tailers]
        words = " | ".join(state.partition(",")[0] for state in states)
        passed = time.monotonic() - began
        if words != shown or passed >= next_line:
            shown, next_line = words, passed + 60
            screen.step(f"owner {states[0]} | spare {states[1]} | record {watched.record.scanning_since or '-'}", "dim")
        if passed > seconds + SETTLED:
            raise StartFailed(f"nothing arrived; the end of its log:\n{tailers[0].process.log_tail()}")
        time.sleep(LOOK)


def _logged(tailer: TailerProcess) -> list[str]:
    lines = [msgspec.json.decode(line) for line in tailer.log.read_text().splitlines() if line.startswith("{")]
    wanted = ("scanning", "scanned", "waiting")
    return [f"{line['action']}: {line['message']}" for line in lines if line.get("action") in wanted]


def _until(seen: Any) -> None:
    if not eventually(seen, SETTLED):
        raise StartFailed("it did not begin in time")
