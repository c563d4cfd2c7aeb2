"""How a cluster is identified on real servers, by users with and without rights."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.cluster import Cluster
from tailer.mongodb.cluster_facts import ClusterFacts
from tailrace.dev.loopback import HOST
from tailrace.dev.mongod import Mongod
from tailrace.dev.workspace import Workspace
from tests.faults.replica_set import primary, step_down, whole
from tests.tailer.servers import with_users

Mongo = MongoClient[dict[str, Any]]


def facts_of(uri: str) -> Cluster:
    """Return the facts of the cluster at this URI."""
    client: Mongo
    with MongoClient(uri) as client:
        return ClusterFacts(lambda: client)()


@pytest.fixture(scope="module")
def three_members(services: None) -> Iterator[Mongod]:
    """A replica set of three members that can elect another primary."""
    with Workspace() as workspace:
        mongod = Mongod(workspace, members=3)
        mongod.start()
        mongod.wait_ready()
        while not whole(mongod):
            pass
        yield mongod


def test_failover_restart_and_other_seed_list_keep_the_identity(three_members: Mongod) -> None:
    """Every member reports the same facts, whichever is primary."""
    before = facts_of(three_members.uri)
    assert before.id
    assert len(before.hosts) == 3
    former = primary(three_members)
    assert former is not None
    step_down(three_members, former)
    while (now := primary(three_members)) is None or now == former:
        pass
    three_members.members[former].kill()
    three_members.start_member(former)
    while not whole(three_members):
        pass
    for port in three_members.ports:
        assert facts_of(f"mongodb://{HOST}:{port}/?replicaSet=rs0") == before


def test_two_clusters_with_one_name_are_distinguished(three_members: Mongod, mongo: Mongo) -> None:
    """Both are called rs0, as most are."""
    one, other = facts_of(three_members.uri), ClusterFacts(lambda: mongo)()
    assert one.name == other.name == "rs0"
    assert not one.is_the_same_as(other)


@pytest.mark.parametrize("right", ["tailer", "nobody"])
def test_plain_reader_identifies_the_cluster_by_its_signing_key(tmp_path: Any, mongo: Mongo, right: str) -> None:
    """A user without the right to read the id gets the signing key, and the facts agree with an admin's."""
    with with_users(tmp_path, "payments") as server:
        users = (f"{user}:{user}-password@" for user in (right, "admin"))
        reader, admin = (facts_of(f"mongodb://{user}{server}/?replicaSet=rs0") for user in users)
    assert (reader.id, len(reader.keys), reader.hosts) == ("", 1, (server,))
    assert admin.id
    assert reader.is_the_same_as(admin)
    assert not reader.is_the_same_as(ClusterFacts(lambda: mongo)())


def test_documentdb_is_identified_by_its_instances(stack: DevStack) -> None:
    """It has neither id nor key. Commands that it would deny, and write to its audit log, are not sent."""
    with DocumentdbDialect(stack.mongod.ports[0]) as dialect:
        dialect.response = _refusing(dialect, "replSetGetConfig")  # type: ignore[method-assign]
        found = facts_of(dialect.uri)
    assert (found.kind, found.id, found.keys) == ("DocumentDB cluster", "", ())
    assert found.hosts == (f"{HOST}:{dialect.ports[0]}",)


def _refusing(dialect: DocumentdbDialect, name: str) -> Any:
    response = dialect.response

    def answered(exchange: Any) -> Any:
        assert exchange.name != name
        return response(exchange)

    return answered


class Router:
    """Emulate a router of a sharded cluster."""

    def __init__(self, cluster_id: str, key: int) -> None:
        self.nodes = frozenset({("Router-B", 27017), ("router-a", 27017)})
        self.admin, self.config = self, self
        self.version = self
        self._id, self._key = cluster_id, key
        self.asked = 0

    def command(self, name: str) -> dict[str, Any]:
        if name == "getEngineVersion":
            raise OperationFailure("no such command", 59)
        if name == "buildInfo":
            return {"version": "6.0.5"}
        assert name == "hello"
        return {"msg": "isdbgrid", "$clusterTime": {"signature": {"keyId": self._key}}}

    def find_one(self) -> dict[str, Any]:
        self.asked += 1
        if not self._id:
            raise OperationFailure("not authorized on config", 13)
        return {"clusterId": self._id}


def test_sharded_cluster_is_identified_by_id_key_or_routers() -> None:
    """A router reports no members."""
    client: Any = Router("5f", 71)
    found = ClusterFacts(lambda: client)()
    assert (found.kind, found.name, found.id, found.keys) == ("sharded cluster", "", "5f", ("71",))
    assert found.hosts == ("router-a:27017", "router-b:27017")


def test_denied_command_is_sent_only_once() -> None:
    """The server logs each refusal, and the facts are read every minute."""
    client: Any = Router("", 71)
    facts = ClusterFacts(lambda: client)
    assert [facts().id for _ in range(3)] == [""] * 3
    assert client.asked == 1
