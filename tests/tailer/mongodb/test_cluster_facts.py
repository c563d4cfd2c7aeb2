"""What real servers tell of who they are, to users with and without rights."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from devstack import DevStack
from devstack.loopback import HOST
from devstack.mongod import Mongod
from devstack.workspace import Workspace
from tailer.cluster import Cluster
from tailer.mongodb.cluster_facts import ClusterFacts
from tests.documentdb import DocumentdbDialect
from tests.faults.replica_set import primary, step_down, whole
from tests.tailer.doctor.servers import with_users

Mongo = MongoClient[dict[str, Any]]


def asked(uri: str) -> Cluster:
    """Who answers there."""
    client: Mongo
    with MongoClient(uri) as client:
        return ClusterFacts(lambda: client)()


@pytest.fixture(scope="module")
def three(services: None) -> Iterator[Mongod]:
    """A replica set of three that can elect another primary."""
    with Workspace() as workspace:
        mongod = Mongod(workspace, members=3)
        mongod.start()
        mongod.wait_ready()
        while not whole(mongod):
            pass
        yield mongod


def test_a_fail_over_a_restart_and_another_seed_list_change_nothing(three: Mongod) -> None:
    """Every member tells the same, whichever of them is asked, whoever is the primary."""
    before = asked(three.uri)
    assert before.id
    assert len(before.hosts) == 3
    former = primary(three)
    assert former is not None
    step_down(three, former)
    while (now := primary(three)) is None or now == former:
        pass
    three.members[former].kill()
    three.start_member(former)
    while not whole(three):
        pass
    for port in three.ports:
        assert asked(f"mongodb://{HOST}:{port}/?replicaSet=rs0") == before


def test_two_clusters_of_one_name_are_told_apart(three: Mongod, mongo: Mongo) -> None:
    """Both are called rs0, as most are."""
    one, other = asked(three.uri), ClusterFacts(lambda: mongo)()
    assert one.name == other.name == "rs0"
    assert not one.is_the_same_as(other)


@pytest.mark.parametrize("right", ["tailer", "nobody"])
def test_a_plain_reader_is_told_who_it_is(tmp_path: Any, mongo: Mongo, right: str) -> None:
    """Who may read one database, or nothing, is told no id, but the signing key; whoever may read the id agrees."""
    with with_users(tmp_path, "payments") as server:
        users = (f"{user}:{user}-password@" for user in (right, "admin"))
        reader, admin = (asked(f"mongodb://{user}{server}/?replicaSet=rs0") for user in users)
    assert (reader.id, len(reader.keys), reader.hosts) == ("", 1, (server,))
    assert admin.id
    assert reader.is_the_same_as(admin)
    assert not reader.is_the_same_as(ClusterFacts(lambda: mongo)())


def test_documentdb_is_known_by_its_instances(stack: DevStack) -> None:
    """It tells neither an id nor a key, and what it would deny, and write to its audit log, is not asked."""
    with DocumentdbDialect(stack.mongod.ports[0]) as dialect:
        dialect.response = _refusing(dialect, "replSetGetConfig")  # type: ignore[method-assign]
        found = asked(dialect.uri)
    assert (found.kind, found.id, found.keys) == ("DocumentDB cluster", "", ())
    assert found.hosts == (f"{HOST}:{stack.mongod.ports[0]}",)


def _refusing(dialect: DocumentdbDialect, name: str) -> Any:
    response = dialect.response

    def answered(command: dict[str, Any]) -> Any:
        assert next(iter(command)) != name
        return response(command)

    return answered


class Router:
    """What a router of a sharded cluster answers; the machine has none to ask."""

    def __init__(self, cluster_id: str, key: int) -> None:
        self.nodes = frozenset({("Router-B", 27017), ("router-a", 27017)})
        self.admin, self.config = self, self
        self.version = self
        self._id, self._key = cluster_id, key
        self.asked = 0

    def command(self, name: str) -> dict[str, Any]:
        assert name == "hello"
        return {"msg": "isdbgrid", "$clusterTime": {"signature": {"keyId": self._key}}}

    def find_one(self) -> dict[str, Any]:
        self.asked += 1
        if not self._id:
            raise OperationFailure("not authorized on config", 13)
        return {"clusterId": self._id}


def test_a_sharded_cluster_is_known_by_its_id_its_key_or_its_routers() -> None:
    """A router tells no members."""
    client: Any = Router("5f", 71)
    found = ClusterFacts(lambda: client)()
    assert (found.kind, found.name, found.id, found.keys) == ("sharded cluster", "", "5f", ("71",))
    assert found.hosts == ("router-a:27017", "router-b:27017")


def test_what_a_user_may_not_ask_is_asked_once() -> None:
    """The server writes each refusal to its log; while a stream is tailed it is asked every minute."""
    client: Any = Router("", 71)
    facts = ClusterFacts(lambda: client)
    assert [facts().id for _ in range(3)] == [""] * 3
    assert client.asked == 1
