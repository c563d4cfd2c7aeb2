"""What a server can do is asked once, and never inferred from what a reply lacks."""

from typing import Any

import pytest
from pymongo import MongoClient

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.mongodb.capabilities import Capabilities, capabilities
from tailer.mongodb.cluster_facts import ClusterFacts
from tests.servers import Server

Mongo = MongoClient[dict[str, Any]]


@pytest.mark.usefixtures("every_server")
def test_server_says_what_it_is(mongo: Mongo, server: Server) -> None:
    """Whatever its hello contains: a DocumentDB may report a cluster time, as MongoDB does."""
    found = capabilities(mongo)
    if not server.documentdb:
        assert (found.documentdb, found.engine, found.images, found.oplog) == (False, "", True, True)
        assert str(found) == f"the server is MongoDB {found.version}"
        return
    assert (found.documentdb, found.images, found.oplog) == (True, False, False)
    assert (found.engine, found.version) == tuple(server.documentdb.values[row] for row in ("engine_version", "server_version"))
    assert found.post_batch_tokens is server.has("post_batch_token", "present")
    assert ("update the cluster to engine patch 3.0.11800" in str(found)) is server.has("post_batch_token", "absent")
    cluster = ClusterFacts(lambda: mongo)()
    assert (cluster.kind, cluster.id, cluster.keys) == ("DocumentDB cluster", "", ())


@pytest.mark.parametrize("denied", [{"getEngineVersion"}, {"getEngineVersion", "$listChangeStreams"}])
def test_documentdb_is_recognised_by_what_it_denies(stack: DevStack, denied: set[str]) -> None:
    """Each command is sent once, because each refusal is a line in the audit log."""
    client: Mongo
    with DocumentdbDialect(stack.mongod.ports[0], cluster_time="present") as dialect, MongoClient(dialect.uri) as client:
        dialect.denied = denied
        found = capabilities(client)
        assert (found.documentdb, found.engine, found.post_batch_tokens) == (True, "", True)
        dialect.denied |= {"buildInfo"}
        assert capabilities(client) is found


@pytest.mark.parametrize(
    ("engine", "tokens"),
    [("3.0.11799", False), ("3.0.11800", True), ("5.0.2+3.0.19917", True), ("8.0.2+4.0.1", True), ("", True)],
)
def test_engine_patch_decides_whether_idle_streams_get_tokens(engine: str, tokens: bool) -> None:
    assert Capabilities(documentdb=True, version="5.0.0", engine=engine).post_batch_tokens is tokens
