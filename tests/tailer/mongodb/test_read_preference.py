"""A URI that prefers secondaries, as AWS's own sample does: what must read its own writes asks the primary all the same."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import CursorNotFound
from pymongo.monitoring import CommandListener, CommandStartedEvent

from devstack.mongod import Mongod
from devstack.workspace import Workspace
from tailer.errors import Misconfigured
from tailer.model import Record
from tailer.mongodb.client import client
from tailer.mongodb.cursor import Cursor
from tailer.mongodb.decoding.duplicate_fields import DuplicateFields
from tailer.mongodb.event_reader import EventReader
from tailer.mongodb.runs import Runs
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.pace import Pace
from tailer.poison.on_poison import OnPoison
from tailer.stores.mongodb import MongodbCheckpoints
from tests.documentdb import DocumentdbDialect


class Asked(CommandListener):
    """Which server was asked which command."""

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
        """Only who was asked counts."""

    failed = succeeded


@pytest.fixture(scope="module")
def replica_set(services: None) -> Iterator[Mongod]:
    with Workspace() as workspace:
        mongod = Mongod(workspace, 3)
        mongod.start()
        mongod.wait_ready()
        yield mongod


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()

    def listened_to(*arguments: Any, event_listeners: Sequence[Any] = (), **options: Any) -> "MongoClient[Any]":
        return MongoClient(*arguments, event_listeners=[*event_listeners, asked], **options)

    monkeypatch.setattr("tailer.mongodb.client.MongoClient", listened_to)
    return asked


def test_the_checkpoints_and_the_oldest_history_are_the_primarys(replica_set: Mongod, asked: Asked) -> None:
    """Whatever the URI prefers; the record as a majority has it."""
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
        assert asked.servers["find"] == asked.servers["insert"] == asked.servers["update"] == {primary[1]}
        assert asked.concerns == [{"level": "majority"}] * 3


@pytest.mark.parametrize("preference", ["primary", "secondaryPreferred", "secondary", "nearest"])
def test_the_stream_is_read_where_the_uri_says(replica_set: Mongod, asked: Asked, preference: str) -> None:
    """Its cursor on one server: every reply of several comes from the one that opened it, and is closed there."""
    with client(f"{replica_set.uri}&readPreference={preference}") as one:
        source = MongodbSource(one, Watch(database="shop"))
        with closing(source.batches(source.first())) as batches:
            seen: list[Any] = []
            while len(seen) < 5:
                one.shop.orders.insert_one({"_id": f"{preference} {len(seen)}"})
                while not (changes := next(batches).changes):
                    pass
                seen += changes
        primary = one.primary
        assert primary is not None
        assert len(asked.servers["getMore"]) == 1
        assert asked.servers["aggregate"] == asked.servers["getMore"] == asked.servers["killCursors"]
        if preference != "nearest":
            assert (asked.servers["getMore"] == {primary[1]}) is (preference == "primary")


def test_a_cursor_on_a_secondary_is_killed_there(replica_set: Mongod, asked: Asked) -> None:
    """From another thread too, while a scan is outstanding."""
    with client(f"{replica_set.uri}&readPreference=secondary") as one, one.start_session() as session:
        watch = Watch(database="shop")
        reader = EventReader(OnPoison(), 1, post_image=False, duplicates=DuplicateFields())
        runs = Runs(reader, Pace(), lambda change: change, read=reader.change)
        cursor = Cursor(one, watch, MongodbSource(one, watch).first(), session, runs)
        cursor.kill(one)
        assert asked.servers["killCursors"] == asked.servers["aggregate"]
        with pytest.raises(CursorNotFound):
            next(cursor.batches())


def test_documentdb_is_never_asked_for_an_oplog(stack: Any, asked: Asked) -> None:
    """Each question would be a line in its audit log; what it is is asked once. MongoDB tells its oldest history."""
    with DocumentdbDialect(stack.mongod.ports[0]) as dialect, client(dialect.uri) as one:
        source = MongodbSource(one, Watch(database="shop"), "beginning")
        assert [source.oldest() for _ in range(3)] == [None] * 3
        assert asked.commands == ["hello"]
        with pytest.raises(Misconfigured, match="TAILER_START"):
            source.first()
        assert "find" not in asked.commands
    with client(stack.mongodb_uri) as one:
        assert MongodbSource(one, Watch(database="shop")).oldest()
