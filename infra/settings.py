"""
One environment: what a deployment consists of, read from ``infra/environments/<name>.toml``.

Everything has a default that is small and safe. Everything wrong in a file is reported at once, by name, with the remedy.
"""

import difflib
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from infra.sections import Alarms, Bus, Consumer, Database, Forwarder, Network, Section, Stream, StreamTable, Tailer

__all__ = [
    "Alarms", "Bus", "Consumer", "Database", "Environment", "Forwarder", "Misconfigured", "Network", "Stream", "StreamTable",
    "Tailer", "load",
]  # fmt: skip

_WORDS = {"missing": "it is missing", "string_pattern_mismatch": "it does not look like one"}
ENVIRONMENTS = Path(__file__).parent / "environments"


class Misconfigured(Exception):
    """The text has one line for each missing or wrong setting, with the remedy."""


class Environment(Section):
    """Everything that one stack, ``tailrace-<name>``, is made from."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,19}$", description="its name: small letters, digits and -, at most 20")
    removal: Literal["retain", "destroy"] = Field(
        "retain", description="what deleting the stack does to queues, table, bucket, keys and database: retain or destroy"
    )
    customer_key: bool = Field(False, description="whether everything at rest is encrypted with a KMS key of its own")
    network: Network = Field(default_factory=Network, description="the VPC that the tailer runs in")
    database: Database | None = Field(None, description="a DocumentDB to watch; leave it out for a MongoDB elsewhere")
    streams: tuple[Stream, ...] = Field((), description="change streams: a table [[streams]] for each")
    tailer: Tailer = Field(default_factory=Tailer, description="the ECS service")
    forwarder: Forwarder = Field(default_factory=Forwarder, description="the Lambda functions")
    bus: Bus = Field(default_factory=Bus, description="the event bus")
    alarms: Alarms = Field(default_factory=Alarms, description="where alarms go")

    @property
    def watches(self) -> bool:
        """Whether the stack runs a tailer. Without one it is the messaging part only: no VPC, no database, no service."""
        return self.database is not None or bool(self.tailer.mongodb_uri)

    @property
    def namespace(self) -> str:
        """The CloudWatch namespace of all its own metrics."""
        return f"Tailrace/{self.name}"

    @property
    def bus_name(self) -> str:
        return self.bus.name or f"tailrace-{self.name}"

    @model_validator(mode="after")
    def _consistent(self) -> "Environment":
        names = [stream.name for stream in self.streams]
        if len(names) != len(set(names)):
            raise ValueError("streams: two have one name; each needs its own")
        if self.database is not None and self.tailer.mongodb_uri:
            raise ValueError("database: a tailer watches one cluster; leave out tailer.mongodb_uri or [database]")
        own = self.database is not None and not self.database.host
        if own and self.network.vpc_id and len(set(self.network.availability_zones)) < 2:
            raise ValueError("network: DocumentDB makes a cluster in two zones or more only; name subnets of another zone too")
        if self.watches and not self.streams:
            raise ValueError("streams: a tailer needs something to watch; write a table [[streams]]")
        if self.bus.kind == "ordered" and not self.bus.archive_days:
            raise ValueError("bus.archive_days: an ordered bus keeps its events for 1 to 365 days")
        return self

    @model_validator(mode="after")
    def _reachable(self) -> "Environment":
        """What a task could not reach, a deployment would wait for in vain."""
        image = self.tailer.image
        if not self.watches or self.network.vpc_id or self.network.egress == "nat":
            return self
        if self.tailer.mongodb_uri:
            raise ValueError('network.egress: a MongoDB elsewhere is behind egress = "nat", or near an existing VPC')
        if image and ".dkr.ecr." not in image:
            raise ValueError('network.egress: an image of another registry than ECR is behind egress = "nat"')
        return self


def load(file: Path) -> Environment:
    """
    The environment of a TOML file, whose own name is the default of ``name``.

    Raises:
        Misconfigured: the file cannot be read, or something in it is missing or wrong.
    """
    try:
        tables = tomllib.loads(file.read_text())
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"{file} cannot be read: {error}") from error
    try:
        return Environment.model_validate({"name": file.stem, **tables})
    except ValidationError as error:
        problems = [f"  {_line(problem)}" for problem in error.errors()]
        count = f"{len(problems)} settings need" if len(problems) > 1 else "1 setting needs"
        raise Misconfigured("\n".join([f"{file.name}: {count} attention:", *problems])) from None


def _line(problem: Any) -> str:
    """``forwarder.timeout: what is wrong; what to set it to``."""
    *above, last = problem["loc"] or ("",)
    message = problem["msg"].removeprefix("Value error, ")
    section, _ = _place(above)
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(last), section.model_fields, n=1)
        message = (
            f"it is not a setting; {f'did you mean {close[0]}?' if close else 'there are ' + ', '.join(section.model_fields)}"
        )
    elif problem["type"] in _WORDS:
        message = _WORDS[problem["type"]]
    inner, field = _place(problem["loc"])
    remedy = field.description if field and inner is section else None  # what a whole section got wrong says its own
    return "; ".join(filter(None, [": ".join(filter(None, [".".join(map(str, problem["loc"])), message])), remedy]))


def _place(loc: Sequence[int | str]) -> tuple[type[BaseModel], FieldInfo | None]:
    """The innermost section that a problem is in, and its field if it is a setting's."""
    section: type[BaseModel] = Environment
    field: FieldInfo | None = None
    for part in loc:
        if isinstance(part, str):
            field = section.model_fields.get(part)
            section = next(_sections(field.annotation), section) if field else section
    return section, field


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _sections(part)
