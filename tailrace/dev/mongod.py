"""A real MongoDB replica set, with change streams and (from 6.0) pre- and post-images."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tailrace.dev.installed import mongod_binary
from tailrace.dev.loopback import HOST, free_port, wait_until
from tailrace.dev.workspace import Child, StartFailed, Workspace

REPLICA_SET = "rs0"
START_SECONDS = 30.0
CACHE = "0.25"  # GB, the minimum of WiredTiger
HISTORY = ("--oplogSize", "128")  # MB
ELECTION = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}  # the defaults, 10 s and 2 s, are for networks


class Mongod:
    """
    ``start`` starts the processes and returns. ``wait_ready`` returns once there is a primary. The data is deleted with the
    workspace. ``behind`` receives the members' ports and returns the ports of proxies, which the replica set then announces.
    ``history`` has mongod's options for the size of the oplog. Only the first ``electable`` members can become primary.
    """

    def __init__(
        self,
        workspace: Workspace,
        members: int = 1,
        *,
        behind: Callable[[Sequence[int]], Sequence[int]] = lambda ports: ports,
        history: Sequence[str] = HISTORY,
        electable: int | None = None,
    ) -> None:
        self._workspace = workspace
        self.ports = [free_port() for _ in range(members)]
        self._known_by = behind(self.ports)
        self._history = history
        self._electable = members if electable is None else electable
        self.members: list[Child] = []

    @property
    def uri(self) -> str:
        hosts = ",".join(f"{HOST}:{port}" for port in self._known_by)
        return f"mongodb://{hosts}/?replicaSet={REPLICA_SET}"

    def start(self) -> None:
        self.members = [self._spawn(number) for number in range(len(self.ports))]

    def start_member(self, number: int) -> None:
        """Start a member that ended again, with its data."""
        self.members[number] = self._spawn(number)

    def wait_ready(self) -> None:
        """
        Initiate the replica set and wait for its primary.

        Raises:
            StartFailed: a member ended, or there was no primary in time. The message has the end of the log.
        """
        hosts = [
            {"_id": number, "host": f"{HOST}:{port}", "priority": int(number < self._electable)}
            for number, port in enumerate(self._known_by)
        ]
        first: MongoClient[dict[str, Any]]
        for member, port in zip(self.members, self.ports, strict=True):
            with MongoClient(HOST, port, directConnection=True, serverSelectionTimeoutMS=100) as first:
                wait_until(partial(_responses, first), member, START_SECONDS)
        with MongoClient(HOST, self.ports[0], directConnection=True) as first:
            first.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": hosts, "settings": ELECTION})
            self._wait_for_primary(first)

    def _wait_for_primary(self, client: MongoClient[dict[str, Any]]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not client.admin.command("hello").get("primary"):
            if time.monotonic() > deadline:
                raise StartFailed(f"no primary within {START_SECONDS:g} s; mongod's log:\n{self.members[0].log_tail()}")
            time.sleep(0.02)

    def _spawn(self, number: int) -> Child:
        name = f"mongod-{number}"
        data = self._workspace.folder / name
        data.mkdir(exist_ok=True)
        network = ["--bind_ip", HOST, "--port", str(self.ports[number]), "--nounixsocket", "--replSet", REPLICA_SET]
        storage = ["--dbpath", str(data), "--wiredTigerCacheSizeGB", CACHE, *self._history]
        quiet = ["--quiet", "--setParameter", "diagnosticDataCollectionEnabled=false"]
        return self._workspace.spawn(name, [mongod_binary(), *network, *storage, *quiet], {})


def _responses(client: MongoClient[dict[str, Any]]) -> bool:
    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    return True
