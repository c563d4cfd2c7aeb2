"""Every command on a slow server says what it waits for, and Ctrl-C ends it cleanly."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pymongo import MongoClient

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.cli.command_line import command_line
from tailer.cluster import Cluster
from tailer.model import After, Checkpoint, Record
from tailer.stores.file import FileCheckpoints
from tailer.stores.memory import MemoryCheckpoints
from tests.tailer.parts import parts_with

AT = "2026-11-22T12:12:00Z"
SCANS = "to scan its history"
NOTHING, SOMETHING = "nothing was changed", "what was done before stays: tailer change-streams show"
COMMANDS = {  # the slow commands of MongoDB, and the message; without any it is the first read of a stream
    "status": ({"find"}, "to respond to find", NOTHING),
    "doctor": ({"aggregate"}, "MongoDB at", NOTHING),
    "doctor --json": ({"aggregate"}, "MongoDB at", NOTHING),
    "checkpoint show": ({"find"}, "to respond to find", NOTHING),
    f"checkpoint seed --to {AT}": (set(), SCANS, NOTHING),
    f"checkpoint rewind --to {AT}": (set(), SCANS, NOTHING),
    f"checkpoint rewind --to {AT} --dry-run": (set(), SCANS, NOTHING),
    "checkpoint accept-gap --why lost": (set(), SCANS, NOTHING),
    "checkpoint accept-settings --anyway": ({"find"}, "to respond to find", NOTHING),
    "checkpoint accept-cluster": (set(), SCANS, NOTHING),
    "change-streams show": ({"aggregate"}, "to open a change stream", NOTHING),
    "change-streams enable": ({"aggregate"}, "to open a change stream", SOMETHING),
    "change-streams disable": ({"aggregate"}, "to open a change stream", SOMETHING),
}
IN_A_LEASE = {"checkpoint accept-gap --why lost", "checkpoint accept-cluster"}  # The commands wait there.


class SlowServerFixture:
    """A slow server, a store with a checkpoint, and the environment that names them."""

    def __init__(self, stack: DevStack, server: DocumentdbDialect, stream: str, queue_url: str, folder: Path) -> None:
        self.stack, self.server, self.stream, self.folder = stack, server, stream, folder
        self.store = FileCheckpoints(folder / "checkpoints.json")
        checkpoints = f"file://{folder}/checkpoints.json"
        self.environment = stack.environment_of(
            stream, mongodb_uri=server.uri, queue_url=queue_url, checkpoints=checkpoints, http_port=0
        )

    def stored(self) -> Record:
        """Store a record whose position the server still has."""
        with MongoClient[Any](self.server.uri) as client, client[self.stream].watch() as changes:
            token = str(changes.resume_token["_data"]) if changes.resume_token else ""
        checkpoint = Checkpoint(position=After(token), sequence=7)
        record = Record(stream=self.stream, version=1, checkpoint=checkpoint, lease_seconds=600)
        self.store.write(record)
        return record

    @contextmanager
    def started(self, command: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
        environment = os.environ | self.environment | settings | {"PYTHONPATH": str(Path.cwd())}
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.tailer.cli.impatient", *command.split()],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @property
    def owner(self) -> str:
        """Return who has the lease."""
        found = self.store.read(self.stream)
        return found.owner if found else ""

    def cursors(self) -> list[Any]:
        """Return the open or active cursors of this stream's database."""
        found = self.stack.mongo.admin.aggregate([{"$currentOp": {"idleCursors": True}}])
        return [one for one in found if str(one.get("ns", "")).startswith(f"{self.stream}.")]


@pytest.fixture
def place(stack: DevStack, fresh: str, queue_url: str, tmp_path: Path) -> Iterator[SlowServerFixture]:
    with DocumentdbDialect(stack.mongod.ports[0], retention="size") as server:
        server.enabled = {(fresh, "")}
        server.scan = 3_600
        yield SlowServerFixture(stack, server, fresh, queue_url, tmp_path)


def wait_for_line(process: "subprocess.Popen[str]", words: str) -> dict[str, Any]:
    """Return the first log line with these words."""
    assert process.stderr is not None
    for text in process.stderr:
        line: dict[str, Any] = json.loads(text)
        if line["action"] == "waiting" and words in line["message"]:
            return line
    raise AssertionError(f"ended without waiting for {words}")


@pytest.mark.parametrize("command", COMMANDS)
def test_waiting_command_says_so_and_can_be_interrupted(place: SlowServerFixture, command: str) -> None:
    """With exit code 130 and a sentence; the record is unchanged, and no lease or cursor is left."""
    slow, words, sentence = COMMANDS[command]
    record = place.stored()
    place.server.slow = slow
    elsewhere = {"TAILER_CHECKPOINTS": place.server.uri} if "find" in slow else {}
    if "accept-cluster" in command:
        record = replace(record, version=2, cluster=Cluster(kind="replica set", name="another"))
        place.store.write(record)
    with place.started(command, **elsewhere) as process:
        first, again = wait_for_line(process, words), wait_for_line(process, words)
        assert first["message"].startswith(f"waiting since {first['since'][11:19]} UTC (")
        assert first["message"].endswith("; Ctrl-C ends this command")
        assert again["seconds"] >= first["seconds"]
        assert bool(place.cursors()) is not bool(slow)
        assert bool(place.owner) is (command in IN_A_LEASE)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said.splitlines()[-1]) == (130, f"tailer: interrupted: {sentence}")
    after = place.store.read(place.stream)
    assert after is not None
    assert (after.owner, after.checkpoint, after.gaps) == ("", record.checkpoint, record.gaps)
    assert place.cursors() == []


def test_sigterm_ends_a_waiting_command(place: SlowServerFixture) -> None:
    """As when ECS stops a task, with exit code 143."""
    place.stored()
    with place.started("checkpoint accept-gap --why lost") as process:
        wait_for_line(process, SCANS)
        process.terminate()
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said.splitlines()[-1]) == (143, f"tailer: interrupted: {NOTHING}")
    assert place.owner == ""


def test_command_names_the_owner_whose_lease_it_waits_for(place: SlowServerFixture) -> None:
    """The owner keeps the lease."""
    place.server.scan = 0
    record = replace(place.stored(), version=2, owner="task-1")
    place.store.write(record)
    with place.started(f"checkpoint rewind --to {AT}") as process:
        wait_for_line(process, f"the lease of stream '{place.stream}', which task-1 has")
        process.send_signal(signal.SIGINT)
        assert (process.communicate(timeout=60)[1].splitlines()[-1], process.returncode) == (
            f"tailer: interrupted: {NOTHING}",
            130,
        )
    assert place.store.read(place.stream) == record


def test_wait_is_logged_as_text_on_request(place: SlowServerFixture) -> None:
    """In one line with the time of day."""
    place.server.slow = {"find"}
    with place.started("status", TAILER_CHECKPOINTS=place.server.uri, TAILER_LOG_FORMAT="text") as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "for MongoDB at" in line)
        assert re.match(r"\d\d:\d\d:\d\d WARNING  waiting since \d\d:\d\d:\d\d UTC \(\d+ s\) for MongoDB at 127.0.0.1:", line)
        process.send_signal(signal.SIGINT)


class InterruptingStore:
    """A store that interrupts the command at its Nth read or write."""

    def __init__(self, store: MemoryCheckpoints, at: int) -> None:
        self._store, self._at, self.calls = store, at, 0

    def _call(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.calls += 1
            if self.calls == self._at:
                os.kill(os.getpid(), signal.SIGINT)

    def read(self, stream: str) -> Record | None:
        found = self._store.read(stream)
        self._call()
        return found

    def write(self, record: Record) -> None:
        self._store.write(record)
        self._call()


def test_interrupt_at_any_step_leaves_no_lease_and_no_half_change(
    place: SlowServerFixture, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command is either undone with 130, or done and reported with 0."""
    place.server.scan = 0
    monkeypatch.chdir(place.folder)
    for name, value in (place.environment | {"TAILER_MONGODB_URI": place.stack.mongodb_uri}).items():
        monkeypatch.setenv(name, value)
    codes: list[int] = []
    while True:
        stored, record = MemoryCheckpoints(), replace(place.stored(), version=1)
        place.store = FileCheckpoints(place.folder / f"{len(codes)}.json")
        stored.write(record)
        store = InterruptingStore(stored, at=len(codes) + 1)
        code = command_line(["checkpoint", "rewind", "--to", "beginning"], threading.Event(), partial(parts_with, store=store))
        after = stored.read(place.stream)
        assert after is not None
        assert after.owner == ""
        moved = after.checkpoint != record.checkpoint
        said = capsys.readouterr()
        assert (code, moved) in ((130, False), (0, True)), said
        assert (NOTHING in said.err, "now" in said.out) == (not moved, moved)
        codes.append(code)
        if store.calls < len(codes):
            break
    assert codes.count(130) >= 4
    assert codes[-1] == 0
