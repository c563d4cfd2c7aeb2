"""A new project: the names that its files are made of, and writing them."""

import keyword
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from pydantic import ValidationError

from tailer.settings.named_stream import Stream
from tailer.settings.table_problems import problems
from tailrace.project.names import EVENT, EVENT_LIMIT, default_database, key_field, mapper_name, stream_name
from tailrace.project.project import ProjectError
from tailrace.text.legible import legible
from tailrace.version import __version__

SETTINGS = ("FORWARDER_", "TAILER_")  # what their variables begin with
TEMPLATE = files("tailrace.project") / "template"

_NAME = re.compile(r"[a-z]([a-z0-9]|-(?=[a-z0-9])){0,19}")  # a part of the names of stacks and their resources
_DATABASE = re.compile(r"[A-Za-z0-9_-]{1,24}")
_COLLECTION = re.compile(r"(?=.{1,40}$)[A-Za-z0-9_]([A-Za-z0-9_. -]*[A-Za-z0-9_.-])?")
_TAKEN = frozenset(
    {"Change", "Mappers", "Time", "StreamGapDetected", "DomainEvent"}
)  # names in events.py, and of our own event


class Text(Template):
    """A template's text. Its placeholders are ``%%{name}``: the files have ``$`` and ``{}`` of their own."""

    delimiter = "%%"


@dataclass(frozen=True, kw_only=True)
class NewProject:
    """
    The names of a project.

    Raises:
        ProjectError: a name cannot be used. The message has one line for each.
    """

    name: str
    database: str
    collection: str
    event: str

    def __post_init__(self) -> None:
        if mistakes := list(self._mistakes()):
            raise ProjectError("\n".join(mistakes))

    def write(self, parent: Path) -> Path:
        """
        Write the project into a new folder of its name, and return the folder.

        Raises:
            ProjectError: the folder has files already, or cannot be written.
        """
        folder = parent / self.name
        try:
            folder.mkdir(exist_ok=True)
            if any(folder.iterdir()):
                raise ProjectError(f"{folder} is not empty: choose another name, or an empty folder")
            for path, text in self._texts(TEMPLATE):
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("x", encoding="utf-8") as out:
                    out.write(text)
        except OSError as error:
            raise ProjectError(
                f"{folder} cannot be written: {error.strerror}; choose another name, or run the command elsewhere"
            ) from None
        sample = folder / "samples" / f"{self._values['mapper']}.change.json"
        sample.with_name(f"{self._values['mapper']}.event.json").write_text(_tailrace(folder, "try", "--json", str(sample)))
        _tailrace(folder, "schemas", "write")
        return folder

    @property
    def _values(self) -> dict[str, str]:
        return {
            "name": self.name,
            "database": self.database,
            "collection": self.collection,
            "stream": stream_name(self.database, self.collection),
            "event": self.event,
            "mapper": mapper_name(self.event),
            "field": key_field(self.collection),
            "version": __version__,
        }

    def _texts(self, folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
        """Yield the path and the text of each file of the template."""
        for entry in sorted(folder.iterdir(), key=lambda one: one.name):
            path = f"{above}{entry.name}".replace("dot-", ".").replace("MAPPER", self._values["mapper"])
            if entry.is_dir():
                yield from self._texts(entry, f"{path}/")
            elif path.endswith(".tmpl"):
                yield path.removesuffix(".tmpl"), Text(entry.read_text("utf-8")).substitute(self._values)

    def _mistakes(self) -> Iterator[str]:
        if not _NAME.fullmatch(self.name):
            yield f"{_shown(self.name)} is no name of a project: lowercase letters and digits, at most 20, with - between them"
        if not _DATABASE.fullmatch(self.database) and self.database != default_database(self.name):
            yield f"--database {_shown(self.database)}: letters, digits, _ and -, at most 24"
        if not _COLLECTION.fullmatch(self.collection):
            yield f"--collection {_shown(self.collection)}: at most 40 letters, digits, _-. and inner spaces; not first - or ."
        elif _DATABASE.fullmatch(self.database):
            yield from self._unwatchable()
        if not EVENT.fullmatch(self.event) or len(mapper_name(self.event)) > EVENT_LIMIT:
            yield f"--event {_shown(self.event)}: words like OrderPlaced; as order_placed at most {EVENT_LIMIT} characters"
        elif self.event in _TAKEN or keyword.iskeyword(self.event) or keyword.iskeyword(mapper_name(self.event)):
            yield f"--event {self.event}: the name is taken; say what happened, like OrderPlaced"

    def _unwatchable(self) -> Iterator[str]:
        """Yield why no stream can watch the collection."""
        stream = {"name": "any", "database": self.database, "collections": [self.collection]}
        try:
            Stream.model_validate(stream)
        except ValidationError as error:
            where = f"--database {self.database}, --collection {self.collection}"
            yield from (f"{where}: {problem}" for problem in problems(error, Stream))


def _shown(name: str) -> str:
    return repr(legible(name[:80]))


def _tailrace(folder: Path, *arguments: str) -> str:
    """Run a command of tailrace in the project's folder, in a process of its own: it imports ``events``. Return its output."""
    command = [sys.executable, "-B", "-P", "-m", "tailrace.cli", *arguments]  # -B: a new project has no __pycache__
    own = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}  # the shell may have another's
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ProjectError(f"{folder}: tailrace {arguments[0]} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout
