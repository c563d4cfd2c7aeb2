"""What a source promises holds on MongoDB and on each variant of DocumentDB, as far as the server can do it."""

from collections.abc import Callable
from contextlib import closing
from itertools import islice
from typing import Any

import pytest
from pymongo import MongoClient

from tailer.errors import Misconfigured
from tailer.model import After, Checkpoint
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tests.conformance.source import Commit, SourceConformance
from tests.servers import Server

Mongo = MongoClient[dict[str, Any]]

pytestmark = pytest.mark.usefixtures("every_server", "short_reads")


class TestMongodbSource(SourceConformance):
    @pytest.fixture
    def source(self, mongo: Mongo, fresh: str) -> MongodbSource:
        return MongodbSource(mongo, Watch(database=fresh))

    @pytest.fixture
    def commit(self, mongo: Mongo, fresh: str) -> Commit:
        return lambda count: [mongo[fresh].payments.insert_one({}) for _ in range(count)]

    @pytest.fixture
    def commit_elsewhere(self, mongo: Mongo, fresh: str) -> Callable[[], object]:
        return lambda: mongo[f"{fresh}-other"].payments.insert_one({})

    @pytest.fixture
    def expired(self, mongo: Mongo) -> Checkpoint:
        """A resume token that this server never had."""
        return Checkpoint(position=After("820000"))

    def test_the_checkpoint_of_an_idle_stream_moves(  # type: ignore[override]
        self, source: MongodbSource, start: Checkpoint, commit_elsewhere: Callable[[], object], server: Server
    ) -> None:
        """Unless the server sends no post-batch tokens: then it stays, and is marked as unconfirmed."""
        if not server.has("post_batch_token", "absent"):
            super().test_the_checkpoint_of_an_idle_stream_moves(source, start, commit_elsewhere)
            return
        commit_elsewhere()
        with closing(source.batches(start)) as batches:
            idle = [batch.checkpoint for batch in islice(batches, 5)]
        assert all(checkpoint.position == start.position and checkpoint.unconfirmed for checkpoint in idle)


def test_stream_with_pre_images_is_opened_or_names_its_setting(mongo: Mongo, fresh: str, server: Server) -> None:
    mongo[fresh].create_collection("payments")
    if not server.documentdb:
        mongo[fresh].command("collMod", "payments", changeStreamPreAndPostImages={"enabled": True})
    source = MongodbSource(mongo, Watch(database=fresh, full_document_before_change="whenAvailable"))
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 1})
    mongo[fresh].payments.delete_one({"_id": 1})
    with closing(source.batches(start)) as batches:
        if server.documentdb:
            with pytest.raises(Misconfigured, match="TAILER_FULL_DOCUMENT_BEFORE_CHANGE"):
                next(batches)
            return
        changes = [change for batch in islice(batches, 1) for change in batch.changes]
    assert changes[1].full_document_before_change == {"_id": 1}
