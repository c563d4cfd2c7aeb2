"""The whole system of a project on this machine, for end-to-end tests: what ``tailrace dev`` runs."""

import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from pymongo import MongoClient

from lambda_forwarder.model.parked import Parked
from tailrace.consuming import Event
from tailrace.dev.project_system import BUS, ProjectSystem
from tailrace.dev.started import Started
from tailrace.dev.workspace import StartFailed, inherited
from tailrace.events import DomainEvent
from tailrace.project import load
from tailrace.testing.listener import SECONDS, EventMissing, Listener

__all__ = ["EventMissing", "Listener", "RunningProject", "StartFailed"]

E = TypeVar("E", bound=DomainEvent)


class RunningProject(Started):
    """
    ``with RunningProject() as project:`` starts a mongod, an emulator of AWS, the forwarder as the zip that a deployment would
    use, and the tailer for the streams of ``tailrace.toml``, which is in ``folder`` (by default the current one) or above it.
    At exit every process, port and file is gone. The fixture ``running_project`` is one for all tests of a run.

    ``bus`` is the name of the bus to which the forwarder publishes. ``mongodb`` is a client of the database.
    ``aws("sqs")`` returns the boto3 client of a service of the emulator. ``package`` is the zip, for further functions of the
    project. ``settings`` has the settings of the tailer and the forwarder as environment variables.

    Raises:
        Misconfigured: the project cannot be packaged. The message names the mapper or the file.
        StartFailed: a part is not installed or did not start. The message names the part, the cause and the remedy.
    """

    mongodb: MongoClient[dict[str, Any]]
    package: Path
    settings: Mapping[str, str]

    def __init__(self, folder: Path | None = None, *, bus: str = BUS) -> None:
        project = load(folder)
        self.bus = bus
        self._system = ProjectSystem(project, project.streams, bus=bus, report=lambda _: None)

    def _start(self, undo: ExitStack) -> None:
        system = undo.enter_context(self._system)
        system.start_tailers()
        self.mongodb, self.package = system.mongo, system.package.path
        self.settings = system.tailer_settings | system.forwarder_settings(system.project)
        self._listener = Listener(self.bus, system.consumer, self._parked)

    def aws(self, service: str) -> Any:
        """Return the boto3 client of a service of the emulator."""
        return self._system.aws(service)

    def wait_for(self, event: type[E], *, seconds: float = SECONDS, **fields: object) -> Event[E]:
        """Return the next event of the project's bus with this class and these fields, as ``Listener.wait_for`` does."""
        return self._listener.wait_for(event, seconds=seconds, **fields)

    def listen(self, bus: str) -> Listener:
        """Listen to another bus of the emulator. Events that the bus received before are not heard."""
        return Listener(bus, self._system.listen(bus), self._parked)

    def rewind(self) -> None:
        """
        Read every stream again from the beginning of its history, as an operator does. Every event is published again with the
        same id: a consumer must act once.

        Raises:
            StartFailed: a command of the tailer failed. The message has its output.
        """
        tailers = [tailer for tailer in self._system.tailers if tailer.running]
        for tailer in tailers:
            tailer.stop()
        for stream in self._system.streams:
            self._tailer("checkpoint", "rewind", "--stream", stream.name, "--to", "beginning")
        self._system.start_tailers()

    def _tailer(self, *words: str) -> None:
        command = [sys.executable, "-P", "-m", "tailer", *words]
        folder, environment = self._system.workspace.folder, {**inherited(), **self.settings}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise StartFailed(f"tailer {' '.join(words)} failed: {done.stderr or done.stdout}")

    def _parked(self) -> list[str]:
        """Return a line for each change that the forwarder parked: which, and why."""
        bodies = self._system.emulator.messages(self._system.resources.parking_url)
        parked = [msgspec.json.decode(body, type=Parked) for body in bodies]
        return [f"{one.stream} #{one.sequence}: {one.reason}; {one.remedy}" for one in parked]
