"""Two clusters, one stream name and one table: a position in the history of one is never taken for one of the other."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from msgspec.structs import replace
from pymongo import MongoClient

from devstack import DevStack
from devstack.mongod import Mongod
from devstack.workspace import Workspace
from tailer import app
from tailer.command_line import command_line
from tailer.errors import Misconfigured
from tailer.model import Record
from tailer.mongodb.client import connect
from tailer.settings import load
from tests.documentdb import DocumentdbDialect
from tests.queue import received


@pytest.fixture(scope="module")
def second() -> Iterator[Mongod]:
    """Another replica set of the same name."""
    with Workspace() as workspace:
        mongod = Mongod(workspace)
        mongod.start()
        mongod.wait_ready()
        yield mongod


@pytest.fixture(params=["MongoDB", "DocumentDB"])
def uris(request: pytest.FixtureRequest, stack: DevStack, second: Mongod, fresh: str) -> Iterator[tuple[str, str]]:
    """How to reach the first and the second cluster."""
    if request.param == "MongoDB":
        yield stack.mongodb_uri, second.uri
        return
    with ExitStack() as opened:
        dialects = [opened.enter_context(DocumentdbDialect(one.ports[0])) for one in (stack.mongod, second)]
        for dialect in dialects:
            dialect.enabled.add((fresh, ""))
        yield dialects[0].uri, dialects[1].uri
        for dialect in dialects:
            connect(dialect.uri).close()  # while there is a server to leave


class Tailers:
    """Tailers of one stream, each on its own cluster."""

    def __init__(self, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
        self._threads, self._monkeypatch, self._stream = threads, monkeypatch, stream
        self.running: list[threading.Event] = []

    def on(self, uri: str) -> None:
        self._monkeypatch.setenv("TAILER_MONGODB_URI", uri)

    def start(self, uri: str) -> "tuple[Future[None], threading.Event]":
        self.on(uri)
        stopping = threading.Event()
        self.running.append(stopping)
        return self._threads.submit(app.run, load(), stopping), stopping

    def record(self) -> Record:
        found = app.checkpoint_store(load()[0]).read(self._stream)
        assert found is not None
        return found

    def wait(self, ended: "Future[None]", seen: Callable[[], bool]) -> None:
        while not seen():
            if ended.done():
                ended.result()
                raise AssertionError("the tailer ended before it showed that")
            time.sleep(0.02)

    def stored(self) -> bool:
        return self.sequence() is not None

    def sequence(self) -> int | None:
        found = app.checkpoint_store(load()[0]).read(self._stream)
        return found.checkpoint.sequence if found and found.checkpoint else None


@pytest.fixture
def tailers(stack: DevStack, queue_url: str, fresh: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tailers]:
    settings = {
        **stack.tailer_environment,
        "TAILER_STREAM": fresh,
        "TAILER_DATABASE": fresh,
        "TAILER_COLLECTIONS": "",
        "TAILER_QUEUE_URL": queue_url,
        "TAILER_LEASE_SECONDS": "1",
        "TAILER_HTTP_PORT": "0",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with ThreadPoolExecutor(4) as threads:
        found = Tailers(threads, monkeypatch, fresh)
        yield found
        for stopping in found.running:
            stopping.set()


def hosts(uri: str) -> str:
    client: MongoClient[dict[str, Any]]
    with MongoClient(uri) as client:
        return str(client.admin.command("hello")["hosts"][0])


@pytest.mark.parametrize("busy", [False, True])
def test_a_tailer_of_another_cluster_is_no_spare(
    tailers: Tailers, uris: tuple[str, str], stack: DevStack, fresh: str, queue_url: str, busy: bool
) -> None:
    """While the first one tails, and after it stopped: both clusters are named, nothing is sent, and nothing is written."""
    ended, stopping = tailers.start(uris[0])
    tailers.wait(ended, tailers.stored)
    if busy:
        stack.mongo[fresh].payments.insert_many([{"_id": number} for number in range(20)])
        tailers.wait(ended, lambda: tailers.record().delivered)
    for stop_first in (False, True):
        if stop_first:
            stopping.set()
            ended.result()
        with pytest.raises(
            Misconfigured, match=f"belongs to the .* at {hosts(uris[0])}.* leads to the .* at {hosts(uris[1])}"
        ) as caught:
            tailers.start(uris[1])[0].result()
        assert f"tailer checkpoint accept-cluster --stream {fresh}" in str(caught.value)
        assert tailers.record().problem == ""
    assert len(received(stack, queue_url)) == (20 if busy else 0)
    again, stopping = tailers.start(uris[0])
    stack.mongo[fresh].payments.insert_one({"_id": "later"})
    tailers.wait(again, lambda: tailers.sequence() == (21 if busy else 1))
    stopping.set()
    again.result()


def test_another_cluster_is_accepted_by_a_person(
    tailers: Tailers, uris: tuple[str, str], second: Mongod, fresh: str, capsys: pytest.CaptureFixture[str], stack: DevStack,
    queue_url: str,
) -> None:  # fmt: skip
    """By no other command: the position stays, in a new generation, and what the new cluster committed since is delivered."""
    ended, stopping = tailers.start(uris[0])
    tailers.wait(ended, tailers.stored)
    stopping.set()
    ended.result()
    before = tailers.record()
    assert before.checkpoint is not None
    tailers.on(uris[1])
    for command in (["rewind", "--to", "2026-01-01T00:00:00Z"], ["accept-gap", "--why", "moved"]):
        assert command_line(["checkpoint", *command], threading.Event()) == 2
        assert "accept-cluster" in capsys.readouterr().err
    assert command_line(["doctor", "--json"], threading.Event()) == 2
    [finding] = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["name"] == "stream.cluster"]
    assert (finding["state"], "accept-cluster" in finding["remedy"]) == ("FAIL", True)
    assert command_line(["checkpoint", "accept-cluster", "--dry-run"], threading.Event()) == 0
    assert tailers.record() == before
    assert command_line(["checkpoint", "accept-cluster", "--json"], threading.Event()) == 0
    after = tailers.record()
    assert after.checkpoint is not None
    assert after.checkpoint.generation == before.checkpoint.generation + 1
    assert after.checkpoint.cluster_time == before.checkpoint.cluster_time
    assert hosts(uris[1]) in str(after.cluster)
    client: MongoClient[dict[str, Any]] = MongoClient(second.uri)
    with client:
        client[fresh].payments.insert_one({"_id": 1})
    ended, stopping = tailers.start(uris[1])
    tailers.wait(ended, lambda: tailers.record().delivered)
    stopping.set()
    ended.result()
    assert [change.document_key["_id"] for change in received(stack, queue_url)] == [1]
    with pytest.raises(Misconfigured, match="accept-cluster"):
        tailers.start(uris[0])[0].result()


def test_a_checkpoint_that_names_no_cluster_is_adopted(
    tailers: Tailers, stack: DevStack, caplog: pytest.LogCaptureFixture
) -> None:
    """It was written before they did: the log says to which it belongs from now on, once."""
    caplog.set_level("INFO", logger="tailer")
    for _ in range(2):
        ended, stopping = tailers.start(stack.mongodb_uri)
        tailers.wait(ended, tailers.stored)
        stopping.set()
        ended.result()
        record = tailers.record()
        if "cluster_adopted" not in [getattr(one, "action", "") for one in caplog.records]:
            app.checkpoint_store(load()[0]).write(replace(record, version=record.version + 1, cluster=None))
    ended, stopping = tailers.start(stack.mongodb_uri)
    tailers.wait(ended, lambda: bool(tailers.record().owner))
    stopping.set()
    ended.result()
    [said] = [one for one in caplog.records if getattr(one, "action", "") == "cluster_adopted"]
    assert hosts(stack.mongodb_uri) in said.getMessage()
    assert tailers.record().cluster is not None
