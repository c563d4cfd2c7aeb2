"""A database and an emulated AWS account with a forwarder, as one context manager."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tailrace.dev.aws import Aws
from tailrace.dev.emulator import Emulator
from tailrace.dev.installed import emulators_python
from tailrace.dev.mongod import Mongod
from tailrace.dev.resources import Resources
from tailrace.dev.started import Started
from tailrace.dev.tailer import TailerProcess
from tailrace.dev.workspace import Workspace

LEASE_SECONDS = 2  # short, so that a tailer started after a kill need not wait long for the lease

Report = Callable[[str], None]


class LocalSystem(Started):
    """
    ``with`` starts a replica set, or uses the server at ``mongodb_uri``, and an AWS account with what ``_provision`` creates.
    ``report`` is called with each step. At exit every process, port and file is gone.

    Raises:
        StartFailed: a part is not installed or did not start. The message names the part, the cause and the remedy.
    """

    resources: Resources
    mongod: Mongod  # without mongodb_uri
    mongo: MongoClient[dict[str, Any]]

    def __init__(self, *, mongodb_uri: str = "", members: int = 1, report: Report = lambda _: None) -> None:
        self.mongodb_uri = mongodb_uri
        self._members = members
        self._report = report
        self.tailers: list[TailerProcess] = []

    def _start(self, undo: ExitStack) -> None:
        self.workspace = undo.enter_context(Workspace())
        with ThreadPoolExecutor() as threads:
            packaging = threads.submit(self._package)
            emulators_python(self._report)  # made at the first use, which takes as long as the first package
        package = packaging.result()  # a project that cannot be packaged is refused before a process starts
        self._start_processes()
        self._connect(undo)
        self.aws = Aws(self.emulator.endpoint_url, self.emulator.key)
        undo.callback(self.aws.close)
        self._report("queues, table, bucket, bus and rules" + (", and the forwarder" if package else ""))
        self._provision(package)

    def _start_processes(self) -> None:
        """Start the emulator, and a mongod unless there is a server already. Return once both respond."""
        self._report("the AWS emulator" if self.mongodb_uri else "mongod and the AWS emulator")
        self.emulator = Emulator(self.workspace)
        waits = [self.emulator.wait_ready]
        if not self.mongodb_uri:
            self.mongod = Mongod(self.workspace, self._members)
            self.mongodb_uri = self.mongod.uri
            self.mongod.start()
            waits.append(self.mongod.wait_ready)
        self.emulator.start()
        with ThreadPoolExecutor() as threads:
            for wait in [threads.submit(wait) for wait in waits]:
                wait.result()

    def _connect(self, undo: ExitStack) -> None:
        """Connect to the server at ``mongodb_uri``."""
        self.mongo = undo.enter_context(MongoClient(self.mongodb_uri, tz_aware=True))

    @abstractmethod
    def _package(self) -> Path | None:
        """Build the forwarder's zip, before a process starts. None: there is no forwarder."""

    @abstractmethod
    def _provision(self, package: Path | None) -> None:
        """Create the resources, and the function if there is a package. Set ``resources``."""

    @property
    def tailer_settings(self) -> dict[str, str]:
        """Return the settings that all tailers of this system have in common, as environment variables."""
        return self.aws.environment | {
            "TAILER_MONGODB_URI": self.mongodb_uri,
            "TAILER_QUEUE_URL": self.resources.queue_url,
            "TAILER_CHECKPOINTS": f"dynamodb://{self.resources.table}",
            "TAILER_CLAIM_BUCKET": self.resources.claim_bucket,
            "TAILER_LEASE_SECONDS": str(LEASE_SECONDS),
        }

    def run_tailer(self, settings: Mapping[str, str]) -> TailerProcess:
        """Start a tailer with these settings, and return at once."""
        tailer = TailerProcess(self.workspace, settings, f"tailer-{len(self.tailers) + 1}")
        self.tailers.append(tailer)
        return tailer
