"""The whole dev stack, for the demo, the tests and the benchmarks."""

import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from devstack.documentdb.dialect import DocumentdbDialect
from devstack.documentdb.servers import MONGODB, chosen_server, enabled_dialect
from devstack.resources import Resources, provision
from tailrace.dev.consumer import Consumer
from tailrace.dev.emulator import function_python
from tailrace.dev.system import LocalSystem, Report
from tailrace.dev.tailer import TailerProcess

DATABASE = "payments"
COLLECTION = "payments"


class DevStack(LocalSystem):
    """
    ``with DevStack() as stack:`` starts a database and an AWS account with the forwarder. ``start_tailer`` starts tailers.

    ``forwarder=False`` omits the function, so that a test can read the queue. ``server`` is what everything connects to:
    ``mongodb``, or a profile of DocumentDB such as ``documentdb-5.0``, which a dialect plays in front of mongod; by default
    what TAILRACE_SERVER says.
    """

    resources: Resources

    def __init__(self, *, forwarder: bool = True, members: int = 1, server: str = "", report: Report = lambda _: None) -> None:
        super().__init__(members=members, report=report)
        self._forwarder = forwarder
        self.server = server or chosen_server()
        self.documentdb: DocumentdbDialect | None = None

    @contextmanager
    def on(self, server: str) -> Iterator[None]:
        """Connect to another server of the same replica set until the block ends: see ``server``."""
        before = self.server, self.documentdb, self.mongodb_uri, self.mongo
        self.server, self.documentdb = server, None
        with ExitStack() as undo:
            try:
                self._connect(undo)
                yield
            finally:
                self.server, self.documentdb, self.mongodb_uri, self.mongo = before

    def _connect(self, undo: ExitStack) -> None:
        self.mongodb_uri = self.mongod.uri
        if self.server != MONGODB:
            self._report(f"{self.server} in front of mongod")
            self.documentdb = undo.enter_context(enabled_dialect(self.mongod.ports, self.server))
            self.mongodb_uri = self.documentdb.uri
        super()._connect(undo)

    def _package(self) -> Path | None:
        return forwarder_zip(self.workspace.folder, self._report) if self._forwarder else None

    def _provision(self, package: Path | None) -> None:
        self.resources = provision(self.aws, package)

    def start_tailer(self, **settings: object) -> TailerProcess:
        """
        Start a tailer on payments.payments and return at once. A setting is named as its variable without the prefix, in
        lower case: ``start_tailer(lanes=4, lease_seconds=15)``.
        """
        return self.run_tailer(self.tailer_environment | _variables(settings))

    @property
    def tailer_environment(self) -> dict[str, str]:
        """Return the settings of a tailer on this stack, as environment variables."""
        stream = {"TAILER_STREAM": "payments", "TAILER_DATABASE": DATABASE, "TAILER_COLLECTIONS": COLLECTION}
        return self.tailer_settings | stream

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
