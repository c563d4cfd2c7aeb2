"""Puts a changed project in place of the one that runs."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

from tailrace.dev.project_system import ProjectSystem
from tailrace.dev.workspace import StartFailed
from tailrace.errors import Misconfigured
from tailrace.project import Project, load

Stamp = frozenset[tuple[Path, int, int]]
"""The files of a project, each with the time of its last change in nanoseconds and its size."""


class Reload:
    """
    ``with Reload(system, report) as reload:`` builds in a thread of its own, so that changes are shown meanwhile. ``report`` is
    called with what happened, and with its colour.
    """

    def __init__(self, system: ProjectSystem, report: Callable[[str, str], None]) -> None:
        self.system = system
        self.report = report
        self._stamp = stamp(system.project)
        self._thread = ThreadPoolExecutor(1)
        self._building: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def check(self) -> None:
        """Begin to build if a file changed since the last build began. An unforeseen error of a build is raised here."""
        if self._building and not self._building.done():
            return
        if self._building:
            self._building.result()
        if (found := stamp(self.system.project)) != self._stamp:
            folder, changed = self.system.project.folder, sorted({path for path, *_ in found ^ self._stamp})
            self._stamp = found
            self.report(f"{', '.join(path.relative_to(folder).as_posix() for path in changed)} changed", "bold")
            self._building = self._thread.submit(self._build)

    def _build(self) -> None:
        before = self.system.project
        try:
            self.system.replace_function(load(before.folder))
        except (Misconfigured, StartFailed, OSError) as error:
            self.report(f"{error}\nThe function stays as it was before this change.", "red")
            return
        self.report("the function runs your changed mappers", "green")
        if self.system.project.streams != before.streams:
            self.report("[[streams]] changed: end tailrace dev and start it again to watch them", "yellow")


def stamp(project: Project) -> Stamp:
    """Return the state of everything that the zip is made of."""
    return frozenset(_stamps(project))


def _stamps(project: Project) -> Iterator[tuple[Path, int, int]]:
    for path in (project.file, *filter(None, [project.requirements]), *project.sources):
        for file in path.rglob("*") if path.is_dir() else (path,):
            if "__pycache__" in file.parts:
                continue
            try:
                state = file.stat()
            except FileNotFoundError:  # an editor replaces a file
                continue
            if file.is_file():
                yield file, state.st_mtime_ns, state.st_size
