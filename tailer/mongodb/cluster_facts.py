"""What MongoDB and DocumentDB tell a plain reader of who they are."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.cluster import Cluster
from tailer.mongodb.errors import mongodb_errors


def cluster_of(client: "MongoClient[Any]") -> Cluster:
    """
    Who answers now.

    Raises:
        Unavailable: nobody answers.
        Misconfigured: the user may not sign in.
    """
    with mongodb_errors():
        hello: Mapping[str, Any] = client.admin.command("hello")
        sharded, time = hello.get("msg") == "isdbgrid", hello.get("$clusterTime")
        key = (time or {}).get("signature", {}).get("keyId", 0)  # 0: nobody signs in, or a user who may move the time
        members = [*hello.get("hosts", ()), *hello.get("passives", ())]
        routers = [f"{host}:{port}" for host, port in client.nodes] if sharded else []
        return Cluster(
            kind="sharded cluster" if sharded else "replica set" if time else "DocumentDB cluster",
            name=hello.get("setName", ""),
            id=_id(client, sharded=sharded)
            if time
            else "",  # DocumentDB has none, and would write the question to its audit log
            keys=(str(key),) if key else (),
            hosts=tuple(sorted(map(str.lower, members or routers))),
        )


def _id(client: "MongoClient[Any]", *, sharded: bool) -> str:
    """What no other cluster has; empty where the user may not ask (``replSetGetConfig``, or ``find`` on ``config``)."""
    with suppress(OperationFailure):
        if sharded:
            return str((client.config.version.find_one() or {}).get("clusterId", ""))
        return str(client.admin.command("replSetGetConfig")["config"].get("settings", {}).get("replicaSetId", ""))
    return ""
