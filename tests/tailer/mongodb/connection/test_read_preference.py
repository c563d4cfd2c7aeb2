"""Reads that need their own writes go to the primary, even if the URI prefers secondaries as AWS's sample does."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import CursorNotFound
from pymongo.hello import Hello
from pymongo.monitoring import CommandListener, CommandStartedEvent
from pymongo.server_description import ServerDescription

from devstack.documentdb.dialect import DocumentdbDialect
from tailer.errors import Misconfigured
from tailer.model import Record
from tailer.mongodb.connection.client import _OneServer, client
from tailer.mongodb.cursor import Cursor
from tailer.mongodb.decoding.duplicate_fields import DuplicateFields
from tailer.mongodb.events.batching import Batcher
from tailer.mongodb.events.event_reader import EventReader
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.poison import OnPoison
from tailer.read_limits import ReadLimits
from tailer.stores.mongodb import MongodbCheckpoints
from tailrace.dev.mongod import Mongod
from tailrace.dev.workspace import Workspace
from tests.eventually import eventually


class CommandRecorder(CommandListener):
    """Record which server received which command."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.servers: dict[str, set[int]] = {}
        self.concerns: list[object] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.commands.append(event.command_name)
        self.servers.setdefault(event.command_name, set()).add(event.connection_id[1] or 0)
        if event.command_name == "find" and "checkpoints" in event.command.values():
            self.concerns.append(event.command.get("readConcern"))

    def succeeded(self, event: object) -> None:
        """Ignore the result."""

    failed = succeeded


@pytest.fixture(scope="module")
def replica_set(services: None) -> Iterator[Mongod]:
    """Three members that keep their roles: on a loaded machine another one could be elected in the middle of a test."""
    with Workspace() as workspace:
        mongod = Mongod(workspace, 3, electable=1)
        mongod.start()
        mongod.wait_ready()
        yield mongod


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> CommandRecorder:
    recorder = CommandRecorder()

    def listened_to(*arguments: Any, event_listeners: Sequence[Any] = (), **options: Any) -> "MongoClient[Any]":
        return MongoClient(*arguments, event_listeners=[*event_listeners, recorder], **options)

    monkeypatch.setattr("tailer.mongodb.connection.client.MongoClient", listened_to)
    return recorder


def test_checkpoints_and_oldest_history_are_read_from_the_primary(replica_set: Mongod, recorder: CommandRecorder) -> None:
    """With majority read concern."""
    with client(f"{replica_set.uri}&readPreference=secondaryPreferred") as one:
        store = MongodbCheckpoints(one)
        for version in range(1, 4):
            store.write(Record(stream="payments", version=version, owner="task"))
            stored = store.read("payments")
            assert stored is not None
            assert stored.version == version
        MongodbSource(one, Watch(database="shop")).oldest()
        primary = one.primary
        assert primary is not None
        assert recorder.servers["find"] == recorder.servers["insert"] == recorder.servers["update"] == {primary[1]}
        assert recorder.concerns == [{"level": "majority"}] * 3


@pytest.mark.parametrize("preference", ["primary", "secondaryPreferred", "secondary", "nearest"])
def test_stream_is_read_with_the_read_preference_of_the_uri(
    replica_set: Mongod, recorder: CommandRecorder, preference: str
) -> None:
    """Every reply comes from the server that opened the cursor, and the cursor is closed there."""
    with client(f"{replica_set.uri}&readPreference={preference}") as one:
        source = MongodbSource(one, Watch(database="shop"))
        assert eventually(lambda: len(one.nodes) == 3)  # Until then "nearest" may choose again.
        with closing(source.batches(source.first())) as batches:
            seen: list[Any] = []
            while len(seen) < 5:
                one.shop.orders.insert_one({"_id": f"{preference} {len(seen)}"})
                while not (changes := next(batches).changes):
                    pass
                seen += changes
        primary = one.primary
        assert primary is not None
        assert len(recorder.servers["getMore"]) == 1
        assert recorder.servers["aggregate"] == recorder.servers["getMore"] == recorder.servers["killCursors"]
        if preference != "nearest":
            assert (recorder.servers["getMore"] == {primary[1]}) is (preference == "primary")


def member(port: int, role: str, seconds: float) -> ServerDescription:
    """Return a member as the driver describes it, with its round-trip time."""
    hello = Hello({"ok": 1, "setName": "rs0", "hosts": ["a:1", "a:2", "a:3"], "maxWireVersion": 21, role: True})
    return ServerDescription(("a", port), hello, seconds)


def test_first_secondary_that_the_driver_finds_is_kept() -> None:
    """The driver finds members one after another, and a nearer one may be found after the cursor was opened."""
    far, near = member(2, "secondary", 0.2), member(3, "secondary", 0.1)
    one_server = _OneServer()
    assert one_server([far]) == [far]
    assert one_server([far, near]) == [far]
    assert one_server([near]) == [near]


def test_read_of_the_primary_does_not_choose_the_server_of_other_reads() -> None:
    primary, secondary = member(1, "isWritablePrimary", 0.2), member(2, "secondary", 0.1)
    one_server = _OneServer()
    assert one_server([primary]) == [primary]
    assert one_server([primary, secondary]) == [secondary]
    assert one_server([primary]) == [primary]
    assert one_server([primary, secondary]) == [secondary]


def test_cursor_on_a_secondary_is_killed_there(replica_set: Mongod, recorder: CommandRecorder) -> None:
    """Also from another thread during a scan."""
    with client(f"{replica_set.uri}&readPreference=secondary") as one, one.start_session() as session:
        watch = Watch(database="shop")
        reader = EventReader(OnPoison(), 1, post_image=False, duplicates=DuplicateFields())
        runs = Batcher(reader, ReadLimits(), lambda change: change)
        cursor = Cursor(one, watch, MongodbSource(one, watch).first(), session, runs)
        cursor.kill(one)
        assert recorder.servers["killCursors"] == recorder.servers["aggregate"]
        with pytest.raises(CursorNotFound):
            next(cursor.batches())


def test_documentdb_is_never_asked_for_its_oplog(stack: Any, recorder: CommandRecorder) -> None:
    """Each attempt would be a line in its audit log."""
    with DocumentdbDialect(stack.mongod.ports[0]) as dialect, client(dialect.uri) as one:
        source = MongodbSource(one, Watch(database="shop"), "beginning")
        assert [source.oldest() for _ in range(3)] == [None] * 3
        assert recorder.commands == ["buildInfo", "getEngineVersion"]
        with pytest.raises(Misconfigured, match="TAILER_START"):
            source.first()
        assert "find" not in recorder.commands
    with client(stack.mongod.uri) as one:
        assert MongodbSource(one, Watch(database="shop")).oldest()
