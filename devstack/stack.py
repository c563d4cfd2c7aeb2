"""The whole dev stack, for the demo, the tests and the benchmarks."""

import platform
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from devstack.resources import Resources, provision
from tailrace.dev.aws import Aws
from tailrace.dev.consumer import Consumer
from tailrace.dev.emulator import Emulator, function_python
from tailrace.dev.mongod import Mongod
from tailrace.dev.started import Started
from tailrace.dev.tailer import TailerProcess
from tailrace.dev.workspace import Workspace

DATABASE = "payments"
COLLECTION = "payments"
LEASE_SECONDS = 2  # short, so that a tailer started after a kill need not wait long for the lease


class DevStack(Started):
    """
    ``with DevStack() as stack:`` starts a database and an AWS account with the forwarder. ``start_tailer`` starts tailers.

    ``forwarder=False`` omits the function, so that a test can read the queue. ``report`` is called with each step. At exit
    every process, port and file is gone.

    Raises:
        StartFailed: a part is not installed or did not start. The message names the part, the cause and the remedy.
    """

    def __init__(self, *, forwarder: bool = True, members: int = 1, report: Callable[[str], None] = lambda _: None) -> None:
        self._forwarder = forwarder
        self._members = members
        self._report = report
        self.tailers: list[TailerProcess] = []

    def _start(self, undo: ExitStack) -> None:
        self.workspace = undo.enter_context(Workspace())
        self.mongod = Mongod(self.workspace, self._members)
        self.emulator = Emulator(self.workspace)
        self._report("mongod and the AWS emulator")
        self.mongod.start()
        self.emulator.start()
        with ThreadPoolExecutor(3) as threads:
            waits = [threads.submit(self.mongod.wait_ready), threads.submit(self.emulator.wait_ready)]
            zipped = threads.submit(forwarder_zip, self.workspace.folder, self._report) if self._forwarder else None
            for wait in waits:
                wait.result()
        self.mongo: MongoClient[dict[str, Any]] = undo.enter_context(MongoClient(self.mongodb_uri, tz_aware=True))
        self.aws = Aws(self.emulator.endpoint_url, self.emulator.key)
        undo.callback(self.aws.close)
        self._report("queues, table, buses and rules" + (", and the forwarder" if zipped else ""))
        self.resources: Resources = provision(self.aws, zipped.result() if zipped else None)

    @property
    def mongodb_uri(self) -> str:
        return self.mongod.uri

    def start_tailer(self, **settings: object) -> TailerProcess:
        """
        Start a tailer on payments.payments and return at once. A setting is named as its variable without the prefix, in
        lower case: ``start_tailer(lanes=4, lease_seconds=15)``.
        """
        environment = self.tailer_environment | _variables(settings)
        tailer = TailerProcess(self.workspace, environment, f"tailer-{len(self.tailers) + 1}")
        self.tailers.append(tailer)
        return tailer

    @property
    def tailer_environment(self) -> dict[str, str]:
        """Return the settings of a tailer on this stack, as environment variables."""
        return self.aws.environment | {
            "TAILER_MONGODB_URI": self.mongodb_uri,
            "TAILER_QUEUE_URL": self.resources.queue_url,
            "TAILER_CHECKPOINTS": f"dynamodb://{self.resources.table}",
            "TAILER_CLAIM_BUCKET": self.resources.claim_bucket,
            "TAILER_STREAM": "payments",
            "TAILER_DATABASE": DATABASE,
            "TAILER_COLLECTIONS": COLLECTION,
            "TAILER_LEASE_SECONDS": str(LEASE_SECONDS),
        }

    def environment_of(self, stream: str, **settings: object) -> dict[str, str]:
        """Return the settings of a tailer whose stream watches the whole database of the same name."""
        return self.tailer_environment | _variables(whole_database(stream) | settings)

    def consumer(self) -> Consumer:
        """Return the consumer, whose queue is a target of its own bus."""
        return Consumer(self.aws("sqs"), self.resources.consumer_queue_url)


def whole_database(stream: str) -> dict[str, object]:
    """Return the settings of a stream that watches the whole database of the same name."""
    return {"stream": stream, "database": stream, "collections": ""}


def _variables(settings: Mapping[str, object]) -> dict[str, str]:
    """Return the settings as the tailer's environment variables."""
    return {f"TAILER_{name.upper()}": str(value) for name, value in settings.items()}


def forwarder_zip(folder: Path, report: Callable[[str], None] = lambda _: None) -> Path:
    """Build the forwarder's package for the Python and the processor of this machine."""
    report("the forwarder's zip (its dependencies are downloaded once, in about ten seconds)")
    from infra.package import package  # the image of docker-compose.yml has no tools of a project

    return package(folder / "forwarder.zip", *function_target()).path


def function_target() -> tuple[str, str | None]:
    """Return the Python version and the platform tag of functions on this machine. None: pip's default tag."""
    tags = {"x86_64": "manylinux2014_x86_64", "aarch64": "manylinux2014_aarch64"}
    return function_python(), tags.get(platform.machine()) if sys.platform == "linux" else None
