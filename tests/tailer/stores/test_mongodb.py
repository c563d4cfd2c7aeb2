"""The MongoDB store, on a real replica set, and its logic on mongomock."""

from collections.abc import Callable, Iterator
from typing import Any

import mongomock
import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from tailer.errors import Misconfigured
from tailer.model import Record
from tailer.mongodb.scopes import OWN_DATABASE
from tailer.ports import CheckpointStore, Conflict
from tailer.settings.settings import Settings
from tailer.stores.mongodb import MongodbCheckpoints
from tests.conformance.checkpoint_store import CHECKPOINT, CheckpointStoreConformance, KeepsOldRecords, Put
from tests.tailer.parts import closed_clients
from tests.tailer.servers import with_users


class TestMongodbCheckpoints(CheckpointStoreConformance, KeepsOldRecords):
    @pytest.fixture
    def store(self, mongo: "MongoClient[dict[str, Any]]") -> MongodbCheckpoints:
        mongo.drop_database(OWN_DATABASE)
        return MongodbCheckpoints(mongo)

    @pytest.fixture
    def put(self, mongo: "MongoClient[dict[str, Any]]") -> Put:
        return lambda record: mongo[OWN_DATABASE].checkpoints.insert_one({"_id": record["stream"], **record})


def test_record_is_a_readable_document() -> None:
    """One document per stream, with the names of the record's fields."""
    client: Any = mongomock.MongoClient()
    MongodbCheckpoints(client).write(Record(stream="payments", version=1, checkpoint=CHECKPOINT))
    [document] = client[OWN_DATABASE].checkpoints.find()
    assert document["_id"] == "payments"
    assert document["checkpoint"]["sequence"] == 4711


def test_stale_version_replaces_nothing() -> None:
    """The condition is part of the write, not a read before it."""
    client: Any = mongomock.MongoClient()
    store = MongodbCheckpoints(client)
    store.write(Record(stream="payments", version=1))
    with pytest.raises(Conflict):
        store.write(Record(stream="payments", version=3, owner="late"))
    assert store.read("payments") == Record(stream="payments", version=1)


READER = "tailer:tailer-password@"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of a replica set with users, of whom only ``admin`` may write."""
    with with_users(tmp_path_factory.mktemp("users"), "payments") as server:
        yield server


Store = Callable[[str, str], CheckpointStore]
"""What is in ``TAILER_CHECKPOINTS``, and who signs in to watch the same server, to the store."""


@pytest.fixture
def store(server: str) -> Iterator[Store]:
    with closed_clients() as parts:

        def named(checkpoints: str, user: str) -> CheckpointStore:
            settings = Settings(
                mongodb_uri=SecretStr(f"mongodb://{user}{server}/?replicaSet=rs0"),
                queue_url="http://localhost/000000000000/changes.fifo",
                checkpoints=SecretStr(checkpoints),
                stream="payments",
                database="payments",
            )
            return parts(settings).store

        yield named


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("tailer:bad-pw@", "wrong user name or password in TAILER_CHECKPOINTS"),
        ("nobody:nobody-password@", "the user of TAILER_CHECKPOINTS .* readWrite on the database tailrace"),
        ("", "requires authentication: write USER:PASSWORD@ before the host in TAILER_CHECKPOINTS"),
    ],
)
def test_error_of_a_separate_store_names_its_own_setting(server: str, store: Store, user: str, words: str) -> None:
    """TAILER_MONGODB_URI is right and is not named."""
    own = store(f"mongodb://{user}{server}/?replicaSet=rs0", READER)
    with pytest.raises(Misconfigured, match=words) as caught:
        own.write(Record(stream="payments", version=1))
    assert "TAILER_MONGODB_URI" not in str(caught.value)
    assert "bad-pw" not in str(caught.value)


def test_reader_of_the_watched_cluster_needs_write_access_for_checkpoints(store: Store) -> None:
    """The message names the role and the database."""
    with pytest.raises(Misconfigured, match=r"the user of TAILER_MONGODB_URI .* readWrite on the database tailrace"):
        store("mongodb:", READER).write(Record(stream="payments", version=1))
    admin = store("mongodb:", "admin:admin-password@")
    admin.write(Record(stream="payments", version=1))
    assert admin.read("payments") == Record(stream="payments", version=1)
