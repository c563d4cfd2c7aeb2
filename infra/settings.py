"""
One environment: what a deployment consists of, read from ``infra/environments/<name>.toml``.

Everything has a default that is small and safe. Everything wrong in a file is reported at once, by name, with the remedy.
"""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from infra.problems import problems
from infra.sections import Alarms, Bus, Consumer, Database, Forwarder, Network, People, Section, Stream, StreamTable, Tailer
from infra.sections.network import NO_FARGATE_ON_ARM
from tailer.settings.toml_mistakes import unreadable

__all__ = [
    "Alarms", "Bus", "Consumer", "Database", "Environment", "Forwarder", "Misconfigured", "Network", "People", "Stream",
    "StreamTable", "Tailer", "load", "named", "there",
]  # fmt: skip

ENVIRONMENTS = Path(__file__).parent / "environments"


class Misconfigured(Exception):
    """The text has one line for each missing or wrong setting, with the remedy."""


class Environment(Section):
    """Everything that one stack, ``tailrace-<name>``, is made from."""

    name: str = Field(
        pattern=r"^[a-z]([a-z0-9]|-(?=[a-z0-9])){0,19}$",  # as DocumentDB takes it in the name of a cluster
        description="its name: small letters and digits, at most 20, a - only between two of them",
    )
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
    people: People = Field(default_factory=People, description="whose calls the stack's own policies let through")
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
        if self.tailer.architecture == "arm64" and (zones := sorted(NO_FARGATE_ON_ARM & set(self.network.zone_ids))):
            raise ValueError(
                f"network.availability_zones: {', '.join(zones)} has no Fargate for arm64: choose another zone, or set "
                'tailer.architecture to "x86_64"'
            )
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
        tables = [one.table for one in self.forwarder.dynamodb_streams]
        if len(tables) != len(set(tables)):
            raise ValueError("forwarder.dynamodb_streams: two are of one table; a table has one stream at a time")
        if self.forwarder.source and self.bus.schemas:
            raise ValueError("bus.schemas: they name each event's own source; set it to false, or leave out forwarder.source")
        if self.bus.name == "default":
            raise ValueError("bus.name: default is the bus that every account has; name another, or leave it out")
        if self.bus.kind == "ordered" and not self.bus_name[0].isalnum():
            raise ValueError("bus.name: an ordered bus's begins with a letter or a digit")
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


def there() -> str:
    """The environments that there are, by name."""
    return ", ".join(sorted(file.stem for file in ENVIRONMENTS.glob("*.toml")))


def named(name: str) -> Path:
    """
    The file of an environment: ``mine`` and ``mine.toml`` are one of those that there are, anything else is a path.

    Raises:
        Misconfigured: there is no such file.
    """
    given = Path(name)
    ours = ENVIRONMENTS / f"{name.removesuffix('.toml')}.toml"
    file = ours if len(given.parts) == 1 and ours.is_file() else given
    if file.suffix == ".toml" and file.is_file():
        return file
    raise Misconfigured(
        f"there is no environment {name}; there are: {there()} (infra/environments/), or say the path of a file"
    )


def load(file: Path) -> Environment:
    """
    The environment of a TOML file, whose own name is the default of ``name``.

    Raises:
        Misconfigured: the file cannot be read, or something in it is missing or wrong.
    """
    try:
        tables = tomllib.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise Misconfigured(f"{file} cannot be read: {unreadable(error)}") from None
    try:
        return Environment.model_validate({"name": file.stem, **tables})
    except ValidationError as error:
        wrong = problems(error, Environment)
        count = f"{len(wrong)} settings need" if len(wrong) > 1 else "1 setting needs"
        raise Misconfigured("\n".join([f"{file.name}: {count} attention:", *(f"  {one}" for one in wrong)])) from None
