"""The system of one project: its streams, and its mappers in a forwarder's zip that can be replaced."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path

from tailer.settings.named_stream import Stream
from tailer.settings.streams_toml import toml
from tailrace.dev.aws import arn
from tailrace.dev.consumer import Consumer
from tailrace.dev.emulator import function_python
from tailrace.dev.emulators_environment import cache_folder
from tailrace.dev.function import deploy
from tailrace.dev.resources import QUEUE, event_bus, provision, queue_of_a_rule, rule
from tailrace.dev.system import LocalSystem, Report
from tailrace.dev.workspace import StartFailed
from tailrace.packaging import Package, build
from tailrace.project import Project

BUS = "tailrace-dev"
EVERYTHING = {"source": [{"prefix": ""}]}


class ProjectSystem(LocalSystem):
    """
    A database and an AWS account with the forwarder of ``project``, which publishes to ``bus``. ``consumer`` receives every
    event of the bus. ``streams`` may be others than those of the project.
    """

    package: Package
    consumer: Consumer

    def __init__(
        self, project: Project, streams: Sequence[Stream], *, mongodb_uri: str = "", bus: str = BUS, report: Report
    ) -> None:
        super().__init__(mongodb_uri=mongodb_uri, report=report)
        self.project = project
        self.streams = streams
        self.bus = bus
        self._numbers = count(1)

    def _package(self) -> Path:
        self._report("the zip of your project (its dependencies are installed once)")
        self.package = self._build(self.project)
        return self.package.path

    def _build(self, project: Project) -> Package:
        output = self.workspace.folder / f"forwarder-{next(self._numbers)}.zip"
        return build(project, output, python=function_python(), platform=None, cache=cache_folder() / "packages")

    def _provision(self, package: Path | None) -> None:
        self.resources = provision(self.aws)
        event_bus(self.aws, self.bus)
        self.consumer = self.listen(self.bus)
        if package:
            self._deploy(self.project, package)

    def _deploy(self, project: Project, package: Path) -> None:
        deploy(self.aws, package, arn("sqs", QUEUE), self.forwarder_settings(project))

    def replace_function(self, project: Project) -> None:
        """
        Build the project's zip again and put it in place. If that fails, the function stays as it was.

        Raises:
            Misconfigured: the project cannot be packaged; the message names the mapper or the file.
            StartFailed: the function does not start with the new zip.
        """
        package = self._build(project)
        try:
            self._deploy(project, package.path)
        except StartFailed:
            self._deploy(self.project, self.package.path)
            raise
        self.package.path.unlink()
        self.project, self.package = project, package

    def forwarder_settings(self, project: Project) -> dict[str, str]:
        """Return the settings of the function, as environment variables."""
        streams = ",".join(stream.name for stream in self.streams)
        return self.resources.forwarder_settings(self.bus) | {
            "FORWARDER_MAPPERS": project.mappers,
            "FORWARDER_STREAMS": streams,
        }

    @property
    def tailer_settings(self) -> dict[str, str]:
        """Return the settings of every tailer and of its commands, as environment variables. They have all streams."""
        return super().tailer_settings | {"TAILER_CONFIG_TOML": toml(self.streams)}

    def start_tailers(self) -> None:
        """Start a tailer for each stream, and return once all are ready."""
        for tailer in [self.run_tailer(self.tailer_settings) for _ in self.streams]:
            tailer.wait_ready()

    def listen(self, bus: str) -> Consumer:
        """Put every later event of a bus into a queue, and return the consumer of the queue."""
        name = f"{bus}-events"
        url = queue_of_a_rule(self.aws, name, bus=bus, rule=name)
        rule(self.aws, name, bus=bus, pattern=EVERYTHING, target={"Id": name, "Arn": arn("sqs", name)})
        return Consumer(self.aws("sqs"), url)
