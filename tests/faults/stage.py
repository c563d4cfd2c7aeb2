"""The parts of a run: a replica set and an AWS emulator with proxies, and two tailers, one of them on standby."""

import random
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from devstack.documentdb.servers import MONGODB, chosen_server, enabled_dialect
from devstack.resources import provision
from infra.package import REPOSITORY
from tailrace.dev.aws import Aws
from tailrace.dev.emulator import Emulator
from tailrace.dev.loopback import HOST
from tailrace.dev.mongod import HISTORY, Mongod
from tailrace.dev.started import Started
from tailrace.dev.tailer import TailerProcess
from tailrace.dev.workspace import Workspace
from tests.faults.aws_proxy import AwsProxy
from tests.faults.tcp_proxy import TcpProxy
from tests.faults.writer import COLLECTION, DATABASE

LEASE = 1.0  # seconds, the minimum
OWNER_SECONDS = 40.0  # seconds until a tailer holds the lease, whatever else happens
WHOLE_SECONDS = 60.0  # seconds until a replica set is complete after a member restarted
LANES = 4  # few, so that each has many changes
APPLICATION = b"tailrace"  # MongoDB's handshake has the application's name, which identifies the connections of a tailer.
# A connection to a dead peer is closed within seconds, so that a run has time for many of them.
_DUMP_SECONDS = 1.0
IMPATIENT = "socketTimeoutMS=4000&connectTimeoutMS=1500&heartbeatFrequencyMS=500&serverSelectionTimeoutMS=5000"


class Stage(Started):
    """Use as a context manager. ``source`` is the tailers' code."""

    def __init__(
        self,
        chance: random.Random,
        *,
        members: int = 3,
        lease: float = LEASE,
        history: Sequence[str] = HISTORY,
        source: Path = REPOSITORY,
    ) -> None:
        self._chance = chance
        self._members = members
        self._history = history
        self._source = source
        self._count = 0
        self.lease = lease
        self.tailers: list[TailerProcess] = []  # those that should run
        self.paused: list[TailerProcess] = []  # those of them that are stopped by SIGSTOP
        self.deaths: list[str] = []  # tailers that ended without being stopped

    def _start(self, undo: ExitStack) -> None:
        self.workspace = undo.enter_context(Workspace())
        self.mongod = Mongod(
            self.workspace, self._members, behind=lambda ports: self._behind(undo, ports), history=self._history
        )
        self.emulator = Emulator(self.workspace, persist=True)
        self.mongod.start()
        self.emulator.start()
        self.mongod.wait_ready()
        self.emulator.wait_ready()
        self.uri = self._server(undo)
        self.client: MongoClient[dict[str, Any]] = undo.enter_context(MongoClient(self.uri, appname="writer"))
        self.direct = Aws(self.emulator.endpoint_url, self.emulator.key)  # The reader's connections are never disturbed.
        undo.callback(self.direct.close)
        self.resources = provision(self.direct)
        self.aws = undo.enter_context(AwsProxy(_port(self.emulator.endpoint_url), self._chance))
        self.aws_network = undo.enter_context(TcpProxy([self.aws.port]))

    def _server(self, undo: ExitStack) -> str:
        """Return the URI of the server that TAILRACE_SERVER names. A dialect's own connections are disturbed too."""
        if (server := chosen_server()) == MONGODB:
            return self.mongod.uri
        return undo.enter_context(enabled_dialect(self.mongodb_network.ports, server)).uri

    def _behind(self, undo: ExitStack, ports: Any) -> list[int]:
        self.mongodb_network = undo.enter_context(TcpProxy(ports, APPLICATION))
        return self.mongodb_network.ports

    def start_tailer(self) -> TailerProcess:
        self._count += 1
        tailer = TailerProcess(self.workspace, self._environment(), f"tailer-{self._count}", source=self._source)
        self.tailers.append(tailer)
        return tailer

    def keep_two(self) -> None:
        """Replace missing tailers, and remember those that ended by themselves."""
        for tailer in [tailer for tailer in self.tailers if not tailer.running]:
            self.tailers.remove(tailer)
            end = tailer.process.log_tail(1)
            self.deaths.append(f"{tailer.log.name} ended by itself: {end}")
        while len(self.tailers) - len(self.paused) < 2:
            self.start_tailer()

    @property
    def owner(self) -> TailerProcess | None:
        """Return the tailer that holds the lease according to the store."""
        pid = self.aws.witness.owner.split("/")[1:2]
        return next((tailer for tailer in self.tailers if [str(tailer.process.pid)] == pid), None)

    def kill(self, tailer: TailerProcess) -> None:
        self.tailers.remove(tailer)
        tailer.kill()

    def stop(self, tailer: TailerProcess) -> int:
        """Stop the tailer and return its exit code."""
        self.tailers.remove(tailer)
        return tailer.stop()

    def pause(self, tailer: TailerProcess) -> None:
        tailer.process.signal(signal.SIGSTOP)
        self.paused.append(tailer)

    def resume(self, tailer: TailerProcess) -> None:
        self.paused.remove(tailer)
        tailer.process.signal(signal.SIGCONT)

    def keep_logs(self) -> Path:
        """Copy every log to a permanent folder. A tailer's log ends with the stack of each of its threads."""
        for tailer in self.tailers:
            tailer.process.signal(signal.SIGCONT)
            tailer.process.signal(signal.SIGABRT)
        time.sleep(_DUMP_SECONDS)
        folder = Path(tempfile.mkdtemp(prefix="tailrace-faults-"))
        for log in self.workspace.folder.glob("*.log"):
            shutil.copy(log, folder)
        return folder

    def _environment(self) -> dict[str, str]:
        return self.direct.environment | {
            "PYTHONFAULTHANDLER": "1",
            "AWS_ENDPOINT_URL": f"http://{HOST}:{self.aws_network.ports[0]}",
            "TAILER_MONGODB_URI": f"{self.uri}&{IMPATIENT}",
            "TAILER_QUEUE_URL": self.resources.queue_url,
            "TAILER_CHECKPOINTS": f"dynamodb://{self.resources.table}",
            "TAILER_STREAM": "ledger",
            "TAILER_DATABASE": DATABASE,
            "TAILER_COLLECTIONS": COLLECTION,
            "TAILER_LANES": str(LANES),
            "TAILER_LEASE_SECONDS": str(self.lease),
        }


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
