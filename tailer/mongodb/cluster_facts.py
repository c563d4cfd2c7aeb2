"""What MongoDB and DocumentDB tell a plain reader of who they are."""

from collections.abc import Callable
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.cluster import Cluster
from tailer.mongodb.connection.errors import mongodb_errors


class ClusterFacts:
    """Asks one cluster who it is. What the user may not ask is asked once: each refusal is a line in the server's log."""

    def __init__(self, client: Callable[[], "MongoClient[Any]"]) -> None:
        self._client = client
        self._denied = False

    def __call__(self) -> Cluster:
        """
        Who answers now.

        Raises:
            Unavailable: nobody answers.
            Misconfigured: the user may not sign in.
        """
        with mongodb_errors():
            client = self._client()
            hello = client.admin.command("hello")
            sharded, time = hello.get("msg") == "isdbgrid", hello.get("$clusterTime")
            key = (time or {}).get("signature", {}).get("keyId", 0)  # 0: nobody signs in, or a user who may move the time
            members = [*hello.get("hosts", ()), *hello.get("passives", ())]
            routers = [f"{host}:{port}" for host, port in client.nodes] if sharded else []
            return Cluster(
                kind="sharded cluster" if sharded else "replica set" if time else "DocumentDB cluster",
                name=hello.get("setName", ""),
                id=self._id(client, sharded=sharded) if time else "",  # DocumentDB, which tells no time, has none
                keys=(str(key),) if key else (),
                hosts=tuple(sorted(map(str.lower, members or routers))),
            )

    def _id(self, client: "MongoClient[Any]", *, sharded: bool) -> str:
        """What no other cluster has; empty where the user may not ask (``replSetGetConfig``, or ``find`` on ``config``)."""
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
