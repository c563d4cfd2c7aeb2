"""An idle stream keeps its place on a server without post-batch tokens, and skips nothing for it."""

from contextlib import closing
from typing import Any

import pytest
from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from tailer.mongodb.cursor import Cursor
from tailer.mongodb.quiet import QUIET
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tests.conformance.checkpoint_store import Clock

Mongo = MongoClient[dict[str, Any]]


@pytest.fixture(autouse=True)
def _old_dialect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real server whose replies lose their post-batch token on the way."""
    command = Cursor._command

    def without_token(cursor: Cursor, words: dict[str, Any]) -> Any:
        reply = command(cursor, words)
        if "cursor" not in reply:
            return reply
        rest = {name: value for name, value in reply["cursor"].items() if name != "postBatchResumeToken"}
        return RawBSONDocument(encode({**reply, "cursor": rest}))

    monkeypatch.setattr(Cursor, "_command", without_token)
    monkeypatch.setattr("tailer.mongodb.cursor._MORE", {"batchSize": 5000, "maxTimeMS": 50})


def test_an_idle_position_moves_on_and_nothing_is_skipped_or_repeated(mongo: Mongo, fresh: str) -> None:
    """After a quiet while it is a time behind the last change; a task that starts there sees the next change, once."""
    clock = Clock()
    source = MongodbSource(mongo, Watch(database=fresh), clock=clock)
    with closing(source.batches(source.first())) as batches:
        mongo[fresh].payments.insert_one({"_id": 1})
        change = next(batch for batch in batches if batch.changes)
        assert change.checkpoint.token == change.changes[0].id
        assert next(batches).checkpoint == change.checkpoint
        mongo[fresh].command("ping")
        clock.now += QUIET - 1
        assert next(batches).checkpoint == change.checkpoint
        clock.now += 1
        moved = next(batches).checkpoint
    assert moved.token is None
    assert moved.sequence == 1
    mongo[fresh].payments.insert_one({"_id": 2})
    with closing(source.batches(moved)) as batches:
        after = next(batch for batch in batches if batch.changes)
    assert [(one.sequence, one.document_key) for one in after.changes] == [(2, {"_id": 2})]


def test_a_change_breaks_the_quiet(mongo: Mongo, fresh: str) -> None:
    """The while begins anew behind it."""
    clock = Clock()
    source = MongodbSource(mongo, Watch(database=fresh), clock=clock)
    with closing(source.batches(source.first())) as batches:
        next(batches)
        clock.now += QUIET - 1
        mongo[fresh].payments.insert_one({"_id": 1})
        change = next(batch for batch in batches if batch.changes)
        clock.now += QUIET - 1
        assert next(batches).checkpoint == change.checkpoint
