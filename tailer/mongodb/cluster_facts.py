"""The identity and the engine of a cluster, as far as MongoDB and DocumentDB report them to a user who may only read."""

from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.cluster import Cluster
from tailer.mongodb.capabilities import capabilities
from tailer.mongodb.connection.errors import mongodb_errors


class ClusterFacts:
    """Reads the identity of one cluster. A command that the user may not run is run once: the server logs each refusal."""

    def __init__(self, client: Callable[[], "MongoClient[Any]"]) -> None:
        self._client = client
        self._denied = False

    def __call__(self) -> Cluster:
        """Return the identity of the cluster that responds now."""
        with mongodb_errors():
            client = self._client()
            hello = client.admin.command("hello")
            documentdb = capabilities(client).documentdb  # which has no id, and no keys that tell clusters apart
            sharded, time = hello.get("msg") == "isdbgrid", None if documentdb else hello.get("$clusterTime")
            key = (time or {}).get("signature", {}).get("keyId", 0)  # 0: without a user, or with one who may advance the time
            members = [*hello.get("hosts", ()), *hello.get("passives", ())]
            routers = [f"{host}:{port}" for host, port in client.nodes] if sharded else []
            return Cluster(
                kind="DocumentDB cluster" if documentdb else "sharded cluster" if sharded else "replica set",
                name=hello.get("setName", ""),
                id="" if documentdb else self._id(client, sharded=sharded),
                keys=(str(key),) if key else (),
                hosts=tuple(sorted(map(str.lower, members or routers))),
            )

    def _id(self, client: "MongoClient[Any]", *, sharded: bool) -> str:
        """The unique id. Empty if the user lacks ``replSetGetConfig``, or ``find`` on ``config``."""
        if self._denied:
            return ""
        try:
            if sharded:
                return str((client.config.version.find_one() or {}).get("clusterId", ""))
            config = client.admin.command("replSetGetConfig")["config"]
            return str(config.get("settings", {}).get("replicaSetId", ""))
        except OperationFailure:
            self._denied = True
            return ""
