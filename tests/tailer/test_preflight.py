"""The checks of a task before it takes a lease: a wrong pipeline or a missing right ends it, also on standby."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.cli.command_line import command_line
from tailer.errors import Misconfigured
from tailer.model import At, Checkpoint, Record
from tailer.mongodb.checks.stream import opens
from tailer.mongodb.watch import Watch
from tailer.settings.settings import load
from tests.tailer.parts import closed_clients
from tests.tailer.servers import with_users

Mongo = MongoClient[dict[str, Any]]
Run = Callable[..., tuple[int, str]]

OPEN_CURSORS: list[dict[str, Any]] = [
    {"$currentOp": {"idleCursors": True, "allUsers": True}},
    {"$match": {"cursor.originatingCommand.pipeline.0.$changeStream": {"$exists": True}}},
]


@pytest.fixture
def run(
    stack: DevStack,
    queue_url: str,
    fresh: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Run]:
    """Run ``tailer run`` as a standby, since another task owns every stream, and return exit code and last line."""
    monkeypatch.chdir(tmp_path)
    environment = {
        **stack.tailer_environment,
        "TAILER_STREAM": fresh,
        "TAILER_DATABASE": fresh,
        "TAILER_COLLECTIONS": "orders,refunds",
        "TAILER_QUEUE_URL": queue_url,
        "TAILER_HTTP_PORT": "0",
        "TAILER_LOG_FORMAT": "json",
    }

    with closed_clients() as parts:

        def standby(**settings: str) -> tuple[int, str]:
            for name, value in (environment | {f"TAILER_{name.upper()}": value for name, value in settings.items()}).items():
                monkeypatch.setenv(name, value)
            for one in load():
                store = parts(one).store
                if store.read(one.stream) is None:
                    store.write(taken(one.stream, one.identity))
            stopping = threading.Event()
            threading.Timer(30, stopping.set).start()  # An endless wait is a failure.
            code = command_line(["run"], stopping, parts)
            for one in load():
                assert parts(one).store.read(one.stream) == taken(one.stream, one.identity), "a standby writes nothing"
            return code, json.loads(capsys.readouterr().err.splitlines()[-1])["message"]

        yield standby


def taken(stream: str, identity: str) -> Record:
    return Record(
        stream=stream,
        version=1,
        owner="another",
        identity=identity,
        lease_seconds=3600,
        checkpoint=Checkpoint(position=At("1.1")),
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pipeline": '[{"$match": {"$nonsense": 1}}]'}, "TAILER_PIPELINE"),
        ({"pipeline": '[{"$match": {"$expr": {"$nonsense": 1}}}]'}, "TAILER_PIPELINE"),
        ({"pipeline": '[{"$project": {"a": {"$nonsense": 1}}}]'}, "TAILER_PIPELINE"),
        ({"pipeline": '[{"$addFields": {"a.": 1}}]'}, "TAILER_PIPELINE"),
        ({"pipeline": '[{"$replaceRoot": {}}]'}, "TAILER_PIPELINE"),
        ({"collections": "view"}, "TAILER_COLLECTIONS: .*.view is a view"),
        ({"collections": "orders,view"}, "TAILER_COLLECTIONS: .*.view is a view"),
    ],
)
def test_refused_stream_ends_a_standby(run: Run, mongo: Mongo, fresh: str, settings: dict[str, str], words: str) -> None:
    """With exit code 2 while another task tails, so a deployment fails and keeps that one."""
    mongo[fresh].create_collection("view", viewOn="orders", pipeline=[])
    code, message = run(**settings)
    assert code == 2
    assert re.search(words, message)


def test_missing_right_ends_a_standby(run: Run, tmp_path: Path) -> None:
    with with_users(tmp_path, "elsewhere") as server:
        code, message = run(
            mongodb_uri=f"mongodb://{server}/?replicaSet=rs0", mongodb_username="nobody", mongodb_password="nobody-password"
        )
    assert code == 2
    assert "grant it read" in message


def test_setting_of_a_table_is_named_by_its_key(run: Run) -> None:
    table = """[shop]\npipeline = '[{"$match": {"$nonsense": 1}}]'"""
    code, message = run(config_toml=table, stream="")
    assert code == 2
    assert "check pipeline in [shop], TAILER_FULL_DOCUMENT" in message


def test_opening_check_leaves_no_cursor(mongo: Mongo, fresh: str) -> None:
    """In every scope, however often."""
    before = len(list(mongo.admin.aggregate(OPEN_CURSORS)))
    for database, collections in ((fresh, ("a",)), (fresh, ("a", "b")), (fresh, ()), ("*", ())):
        for _ in range(3):
            opens(mongo, Watch(database=database, collections=collections))
    assert len(list(mongo.admin.aggregate(OPEN_CURSORS))) == before
    assert mongo.admin.command("serverStatus")["metrics"]["cursor"]["open"]["total"] <= before + 1


def test_lost_history_at_now_means_not_enabled(stack: DevStack, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DocumentDB responds so when change streams are not enabled. There is no gap to accept."""
    with DocumentdbDialect(stack.mongod.ports[0]) as dialect, MongoClient[Any](dialect.uri) as one:
        lost = {"ok": 0.0, "code": 136, "errmsg": "CappedPositionLost: CollectionScan died"}
        monkeypatch.setattr(dialect, "response", lambda exchange: None if exchange.watching is None else lost)
        with pytest.raises(Misconfigured, match="tailer change-streams enable"):
            opens(one, Watch(database=fresh))


def test_missing_collection_is_a_warning(stack: DevStack, fresh: str) -> None:
    """The task starts, suggests a name, and tails what comes."""
    stack.mongo[fresh].orders.insert_one({})
    tailer = stack.start_tailer(stream=fresh, database=fresh, collections="Orders,orders")
    tailer.wait_ready()
    assert (
        f"{fresh}.Orders does not exist yet, and no change arrives until it does; did you mean orders?"
        in tailer.log.read_text()
    )
    assert tailer.stop() == 0
