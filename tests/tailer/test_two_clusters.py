"""Two clusters with one stream name and one table: a position of one is never used on the other."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from msgspec.structs import replace
from pymongo import MongoClient

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.cli.command_line import command_line
from tailer.errors import Misconfigured
from tailer.model import Record
from tailer.parts import Parts
from tailer.settings.settings import load
from tailrace.dev.loopback import HOST
from tailrace.dev.mongod import Mongod
from tailrace.dev.workspace import Workspace
from tests.queue import received
from tests.tailer.tailers import Tailers


@pytest.fixture(scope="module")
def second() -> Iterator[Mongod]:
    """Another replica set with the same name."""
    with Workspace() as workspace:
        mongod = Mongod(workspace)
        mongod.start()
        mongod.wait_ready()
        yield mongod


@pytest.fixture(params=["MongoDB", "DocumentDB"])
def uris(request: pytest.FixtureRequest, stack: DevStack, second: Mongod, fresh: str) -> Iterator[tuple[str, str]]:
    """The URIs of the first and the second cluster."""
    if request.param == "MongoDB":
        yield stack.mongodb_uri, second.uri
        return
    with ExitStack() as opened:
        dialects = [opened.enter_context(DocumentdbDialect(one.ports[0])) for one in (stack.mongod, second)]
        for dialect in dialects:
            dialect.enabled = {(fresh, "")}
        yield dialects[0].uri, dialects[1].uri
        for dialect in dialects:
            close_clients(dialect.uri)


def close_clients(uri: str) -> None:
    """Close the clients of a tailer while the server is running."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAILER_MONGODB_URI", uri)
        [settings] = load()
    for client in (Parts(settings).client, Parts(settings).reader.client):
        client.close()


class MovableName(socketserver.ThreadingTCPServer):
    """A host name that resolves to one server and then to another: existing connections stay, new ones go to the other."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__((HOST, 0), Relay)
        self.leads_to, self.streams = port, list[socket.socket]()

    @property
    def uri(self) -> str:
        return f"mongodb://{HOST}:{self.server_address[1]}/?directConnection=true"

    def end_change_streams(self) -> None:
        """End only the connections on which a change stream is read."""
        for connection in self.streams:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Relay(socketserver.BaseRequestHandler):
    server: MovableName

    def handle(self) -> None:
        with socket.create_connection((HOST, self.server.leads_to)) as there:
            threading.Thread(target=self._pass, args=(there, self.request), daemon=True).start()
            self._pass(self.request, there)

    def _pass(self, here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while said := here.recv(65_536):
                if b"getMore" in said and here is self.request and here not in self.server.streams:
                    self.server.streams.append(here)
                there.sendall(said)
        with suppress(OSError):
            there.shutdown(socket.SHUT_RDWR)


def sequence(record: Record) -> int:
    return record.checkpoint.sequence if record.checkpoint else 0


def hosts(uri: str) -> str:
    client: MongoClient[dict[str, Any]]
    with MongoClient(uri) as client:
        return str(client.admin.command("hello")["hosts"][0])


@pytest.mark.parametrize("busy", [False, True])
def test_tailer_of_another_cluster_is_no_standby(
    tailers: Tailers, uris: tuple[str, str], stack: DevStack, fresh: str, queue_url: str, busy: bool
) -> None:
    """While the first one tails and after it stopped: both clusters are named, and nothing is sent or written."""
    ended, stopping = tailers.start(mongodb_uri=uris[0])
    tailers.wait(ended, tailers.opened)
    if busy:
        stack.mongo[fresh].payments.insert_many([{"_id": number} for number in range(20)])
        tailers.wait(ended, tailers.delivered)
    for stop_first in (False, True):
        if stop_first:
            stopping.set()
            ended.result()
        with pytest.raises(
            Misconfigured, match=f"belongs to the .* at {hosts(uris[0])}.* points to the .* at {hosts(uris[1])}"
        ) as caught:
            tailers.start(mongodb_uri=uris[1])[0].result()
        assert f"tailer checkpoint accept-cluster --stream {fresh}" in str(caught.value)
        assert tailers.record.problem == ""
    assert len(received(stack, queue_url)) == (20 if busy else 0)
    again, stopping = tailers.start(mongodb_uri=uris[0])
    stack.mongo[fresh].payments.insert_one({"_id": "later"})
    tailers.wait(again, lambda: sequence(tailers.record) == (21 if busy else 1))
    stopping.set()
    again.result()


def test_name_that_moves_to_another_cluster_is_noticed_when_reconnecting(
    tailers: Tailers, stack: DevStack, second: Mongod, fresh: str, queue_url: str
) -> None:
    """Other connections still lead to the first cluster: the stream is not opened on the other."""
    with MovableName(stack.mongod.ports[0]) as name:
        threading.Thread(target=name.serve_forever, args=(0.01,), daemon=True).start()
        ended, _ = tailers.start(mongodb_uri=name.uri)
        tailers.wait(ended, tailers.opened)
        name.leads_to = second.ports[0]
        with MongoClient[dict[str, Any]](second.uri) as client:
            client[fresh].payments.insert_one({"_id": "foreign"})
        name.end_change_streams()
        with pytest.raises(Misconfigured, match=f"points to the .* at {hosts(second.uri)}"):
            ended.result(timeout=30)
        close_clients(name.uri)
        name.shutdown()
    assert received(stack, queue_url) == []


def test_another_cluster_must_be_accepted_by_a_person(
    tailers: Tailers, uris: tuple[str, str], second: Mongod, fresh: str, capsys: pytest.CaptureFixture[str], stack: DevStack,
    queue_url: str,
) -> None:  # fmt: skip
    """The position is kept in a new generation, and changes that the new cluster committed since are delivered."""
    tailers.run(tailers.opened, mongodb_uri=uris[0])
    before = tailers.record
    assert before.checkpoint is not None
    tailers.set(mongodb_uri=uris[1])
    for command in (["rewind", "--to", "2026-01-01T00:00:00Z"], ["accept-gap", "--why", "moved"]):
        assert command_line(["checkpoint", *command], threading.Event()) == 2
        assert "accept-cluster" in capsys.readouterr().err
    assert command_line(["doctor", "--json"], threading.Event()) == 2
    [finding] = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["name"] == "stream.cluster"]
    assert (finding["state"], "accept-cluster" in finding["remedy"]) == ("FAIL", True)
    assert command_line(["checkpoint", "accept-cluster", "--dry-run"], threading.Event()) == 0
    assert tailers.record == before
    assert command_line(["checkpoint", "accept-cluster", "--json"], threading.Event()) == 0
    after = tailers.record
    assert after.checkpoint is not None
    assert after.checkpoint.generation == before.checkpoint.generation + 1
    assert after.checkpoint.reached == before.checkpoint.reached
    assert hosts(uris[1]) in str(after.cluster)
    client: MongoClient[dict[str, Any]] = MongoClient(second.uri)
    with client:
        client[fresh].payments.insert_one({"_id": 1})
    tailers.run(tailers.delivered, mongodb_uri=uris[1])
    assert [change.document_key["_id"] for change in received(stack, queue_url)] == [1]
    with pytest.raises(Misconfigured, match="accept-cluster"):
        tailers.start(mongodb_uri=uris[0])[0].result()


def test_checkpoint_without_a_cluster_adopts_one(tailers: Tailers, stack: DevStack, caplog: pytest.LogCaptureFixture) -> None:
    """An older release wrote it. The log says which, once."""
    caplog.set_level("INFO", logger="tailer")
    for _ in range(2):
        tailers.run(tailers.opened, mongodb_uri=stack.mongodb_uri)
        record = tailers.record
        if "cluster_adopted" not in [getattr(one, "action", "") for one in caplog.records]:
            Parts(load()[0]).store.write(replace(record, version=record.version + 1, cluster=None))
    tailers.run(lambda: bool(tailers.record.owner), mongodb_uri=stack.mongodb_uri)
    [said] = [one for one in caplog.records if getattr(one, "action", "") == "cluster_adopted"]
    assert hosts(stack.mongodb_uri) in said.getMessage()
    assert tailers.record.cluster is not None
