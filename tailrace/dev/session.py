"""One run of ``tailrace dev``: start, show what becomes of each change, reload, and leave nothing."""

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from shlex import quote
from typing import Any

from lambda_forwarder.aws.table import Table
from lambda_forwarder.watermarks.dynamodb import DynamodbWatermarks
from tailer.parts import Parts
from tailer.settings.settings import Settings
from tailrace.dev.changes import ChangeReader
from tailrace.dev.outcomes import Outcomes
from tailrace.dev.project_system import ProjectSystem
from tailrace.dev.reload import Reload
from tailrace.dev.screen import Screen
from tailrace.dev.shown import Line, lines, waiting
from tailrace.dev.watched import streams_of
from tailrace.dev.workspace import StartFailed
from tailrace.errors import Misconfigured
from tailrace.project import Project
from tailrace.text.redaction import redacted

POLL_SECONDS = 0.2
SLOW_SECONDS = 10.0  # after that a change is said to wait
MARGIN = " " * 12  # a line that continues the one above begins after its time


class Session:
    """``watch`` names what is watched instead of the project's streams. With ``data`` events and changes are printed."""

    def __init__(self, project: Project, *, mongodb_uri: str = "", watch: Sequence[str] = (), data: bool = False) -> None:
        self._project = project
        self._mongodb_uri = mongodb_uri
        self._streams = streams_of(watch) or project.streams
        self._data = data
        self._screen = Screen()
        self._slow: set[tuple[str, int, int]] = set()
        if not self._streams:
            raise Misconfigured(f"{project.file}: there is no stream to watch; add a table [[streams]], or use --watch")

    def run(self) -> None:
        """
        Run until Ctrl-C.

        Raises:
            StartFailed: a part did not start, or a tailer has ended.
            Misconfigured: the project cannot be packaged.
        """
        with suppress(KeyboardInterrupt), self._system() as system, ExitStack() as open_parts:
            system.start_tailers()
            reading = [open_parts.enter_context(reader) for reader in self._readers(system)]
            self._explain(system)
            outcomes = self._outcomes(system)
            reload = open_parts.enter_context(Reload(system, self._block))
            while True:
                for seen in (seen for reader in reading for seen in reader.seen()):
                    outcomes.add(seen)
                self._show(outcomes, system)
                reload.check()
                self._check(system)
                time.sleep(POLL_SECONDS)
        self._screen.line()
        self._screen.step("stopped; nothing is left running")

    def _system(self) -> ProjectSystem:
        self._screen.step(f"starting {self._project.name} on this machine")
        return ProjectSystem(
            self._project,
            self._streams,
            mongodb_uri=self._mongodb_uri,
            report=lambda part: self._screen.step(f"  {part}", "dim"),
        )

    def _readers(self, system: ProjectSystem) -> list[ChangeReader]:
        report = partial(self._screen.step, colour="red")
        return [ChangeReader(Parts(settings, system.aws), report) for settings in self._settings(system)]

    def _settings(self, system: ProjectSystem) -> list[Settings]:
        """Return the settings of each stream's tailer. Nothing of this process' own environment counts."""
        common: dict[str, Any] = {
            "_env_file": None,
            "mongodb_uri": system.mongodb_uri,
            "queue_url": system.resources.queue_url,
            "checkpoints": f"dynamodb://{system.resources.table}",
        }
        tables = (stream.model_dump(exclude={"name"}) | {"stream": stream.name} for stream in self._streams)
        return [Settings(**common, **table) for table in tables]

    def _outcomes(self, system: ProjectSystem) -> Outcomes:
        return Outcomes(
            DynamodbWatermarks(Table(system.aws("dynamodb"), system.resources.table)),
            partial(system.consumer.receive, wait=0),
            partial(system.emulator.messages, system.resources.parking_url),
        )

    def _show(self, outcomes: Outcomes, system: ProjectSystem) -> None:
        for outcome in outcomes.finished():
            self._print(lines(outcome, system.package.catalogue, data=self._data))
        for seen in outcomes.unfinished(SLOW_SECONDS):
            if (number := (seen.stream, *seen.position)) not in self._slow:
                self._slow.add(number)
                self._print([waiting(seen, system.emulator.process.log)])

    def _check(self, system: ProjectSystem) -> None:
        for tailer in system.tailers:
            if not tailer.running:
                raise StartFailed(f"a tailer has ended; the end of its log:\n{tailer.process.log_tail()}")

    def _explain(self, system: ProjectSystem) -> None:
        settings = system.workspace.folder / "settings.env"
        asked = {"TAILER_HTTP_PORT": str(system.tailers[0].port)}  # whose health the doctor reads
        values = system.tailer_settings | system.forwarder_settings(system.project) | asked
        settings.write_text("".join(f"export {name}={quote(value)}\n" for name, value in values.items()))
        watched = ", ".join(str(scope) for one in self._settings(system) for scope in Parts(one).watch.scopes)
        self._screen.step(f"ready: {watched}", "green")
        self._block(
            f"""
  MongoDB        {redacted(system.mongodb_uri)}
  AWS emulator   {system.emulator.endpoint_url}, bus {system.bus}
  other commands . {settings}; tailrace status

Each change appears below with what became of it. Ctrl-C ends everything.
"""
        )

    def _block(self, text: str, colour: str = "") -> None:
        self._screen.line(text, colour)

    def _print(self, shown: Iterable[Line]) -> None:
        for line in shown:
            if line.first:
                self._screen.step(line.text, line.colour)
            else:
                self._screen.line(f"{MARGIN}{line.text}")
