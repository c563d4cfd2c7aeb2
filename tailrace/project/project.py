"""A project: the values of its ``tailrace.toml``, and the error of a wrong one."""

import difflib
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tailer.settings.named_stream import Stream
from tailer.settings.table_problems import problems
from tailer.settings.toml_mistakes import unreadable
from tailrace.errors import Misconfigured
from tailrace.project.settings import ProjectSettings

FILE = "tailrace.toml"


class ProjectError(Misconfigured):
    """The project cannot be used. The text names the file, has one line for each wrong setting, and the remedy."""


class NoProject(ProjectError):
    """Neither the folder nor one above it has a ``tailrace.toml``. ``found`` says so, without the remedy."""

    def __init__(self, folder: Path) -> None:
        self.found = f"there is no {FILE} in {folder} or in a folder above"
        remedy = "Run the command in your project's folder, or make a project: tailrace init NAME"
        super().__init__(f"{self.found[0].upper()}{self.found[1:]}. {remedy}")


@dataclass(frozen=True, kw_only=True)
class Project:
    """
    What ``tailrace.toml`` says, with absolute paths.

    ``sources`` are the files and folders that go into the Lambda's zip, each at its root under its own name. It is empty if
    ``mappers`` names a module that no file of the project has.
    """

    folder: Path
    name: str
    mappers: str
    sources: tuple[Path, ...]
    requirements: Path | None
    base_image: str
    streams: tuple[Stream, ...]
    environments: tuple[str, ...]
    _tables: Mapping[str, Any] = field(repr=False)

    @property
    def file(self) -> Path:
        return self.folder / FILE

    def environment(self, name: str) -> Mapping[str, Any]:
        """
        Return the settings of an environment for ``tailrace_cdk.config``: streams and mappers of the project, then
        ``[environment]``, then ``[environments.NAME]``. Tables are merged; any other value replaces the one before.

        Raises:
            ProjectError: there is no such environment.
        """
        if name not in self.environments:
            close = difflib.get_close_matches(name, self.environments, n=1)
            others = f"there are {', '.join(self.environments)}" if self.environments else "add a table [environments.NAME]"
            hint = f"did you mean {close[0]}?" if close else others
            raise ProjectError(f"{self.file}: there is no environment {name!r}; {hint}")
        ours = {"name": name, "streams": self._tables.get("streams", []), "forwarder": {"mappers": self.mappers}}
        common = self._tables.get("environment", {})
        return _merged(_merged(ours, common), self._tables["environments"][name])


def load(folder: Path | None = None) -> Project:
    """
    Return the project whose ``tailrace.toml`` is in ``folder`` (by default the current one) or in the nearest folder above.

    Raises:
        NoProject: there is no such file.
        ProjectError: the file cannot be used.
    """
    start = (folder or Path.cwd()).resolve()
    file = next((found for above in (start, *start.parents) if (found := above / FILE).is_file()), None)
    if file is None:
        raise NoProject(start)
    tables = _read(file)
    try:
        settings = ProjectSettings.model_validate(tables)
    except ValidationError as error:
        raise _wrong(file, problems(error, ProjectSettings)) from None
    if mistakes := [*_paths(file.parent, settings), *_repeated_names(settings), *_mappers_elsewhere(settings)]:
        raise _wrong(file, mistakes)
    here = file.parent
    return Project(
        folder=here,
        name=settings.name or here.name,
        mappers=settings.mappers,
        sources=tuple((here / source).resolve() for source in settings.sources) or _module(here, settings.mappers),
        requirements=here / settings.requirements if settings.requirements else None,
        base_image=settings.base_image,
        streams=settings.streams,
        environments=tuple(settings.environments),
        _tables=tables,
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ProjectError(f"{file} cannot be read: {unreadable(error)}") from None


def _wrong(file: Path, lines: list[str]) -> ProjectError:
    count = f"{len(lines)} settings need" if len(lines) > 1 else "1 setting needs"
    return ProjectError("\n  ".join([f"{file}: {count} attention:", *lines]))


def _paths(folder: Path, settings: ProjectSettings) -> Iterator[str]:
    """Yield a line for each path that is no file or folder of the project."""
    named = {"requirements": [settings.requirements] if settings.requirements else [], "sources": list(settings.sources)}
    for setting, paths in named.items():
        for path in paths:
            found = (folder / path).resolve()
            if folder not in found.parents:
                yield f"{setting}: {path} is not in the project's folder; name a file or folder inside {folder}"
            elif not found.exists() or (setting == "requirements" and not found.is_file()):
                yield f"{setting}: {path} does not exist in {folder}; create it, or correct the path"


def _repeated_names(settings: ProjectSettings) -> Iterator[str]:
    names = Counter(stream.name for stream in settings.streams)
    yield from (f"streams: two streams have the name {name}; give each its own" for name, count in names.items() if count > 1)


def _mappers_elsewhere(settings: ProjectSettings) -> Iterator[str]:
    """Yield a line for each environment with mappers of its own: the zip is made and checked for those of the project."""
    for where, tables in {"environment": settings.environment, **_named(settings)}.items():
        forwarder = tables.get("forwarder")
        if isinstance(forwarder, dict) and "mappers" in forwarder:
            yield f"{where}.forwarder.mappers: mappers is set once, at the top of the file; remove it here"


def _named(settings: ProjectSettings) -> dict[str, dict[str, Any]]:
    return {f"environments.{name}": tables for name, tables in settings.environments.items()}


def _module(folder: Path, mappers: str) -> tuple[Path, ...]:
    """Return the package or module that ``mappers`` names, in the folder or in its ``src``. Empty: it is installed."""
    top = mappers.partition(":")[0].partition(".")[0]
    candidates = [root / name for root in (folder, folder / "src") for name in (top, f"{top}.py")]
    return tuple(path for path in candidates if path.exists())[:1]


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merged(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged
