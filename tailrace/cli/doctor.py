"""``tailrace doctor``: the tailer's doctor, and a check of the package of the project that the current folder is in."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from tailer.checks import Check, Finding, fail, ok, warn
from tailer.cli.command_line import command_line
from tailrace.cli.passed_on import PassedOn
from tailrace.errors import Misconfigured
from tailrace.packaging import build
from tailrace.project import NoProject, Project, ProjectError, load

SECONDS = 50.0  # the first package of a lock installs its dependencies


def _doctor(arguments: Sequence[str]) -> int:
    return command_line(arguments, Event(), checks=_checks(), by="tailrace doctor")


def _checks() -> list[Check]:
    try:
        project = load()
    except ProjectError as error:
        return [_no_project(error)]
    remedy = "run tailrace package, which builds the same zip"
    return [Check(name="package", run=lambda: _package(project), outage=remedy, mistake=remedy, seconds=SECONDS)]


def _no_project(error: ProjectError) -> Check:
    """Without a project, the tailer's checks run alone. A project that cannot be used is a mistake."""
    remedy = "to check the project too, run the command in the project's folder"
    missing = (
        warn(f"{error.found}: only what a tailer needs is checked", remedy)
        if isinstance(error, NoProject)
        else fail(str(error))
    )
    return Check(name="project", run=lambda: missing, outage=remedy, mistake="correct the file")


def _package(project: Project) -> Finding:
    """Build the Lambda's zip, which refuses mappers that do not import from it."""
    with TemporaryDirectory(prefix="tailrace-doctor-") as folder:
        try:
            made = build(project, Path(folder) / "package.zip")
        except Misconfigured as error:
            return fail(str(error))
    return ok(f"{project.mappers}: {len(made.catalogue.events)} events, {made.unzipped_bytes:,} bytes unpacked")


doctor = PassedOn(_doctor)
