"""
One environment: all settings of a deployment, read from a TOML file.

Every setting has a small and safe default. All mistakes of a file are reported at once, by name, with the remedy.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from tailer.settings.named_stream import Stream
from tailer.settings.table import Section
from tailer.settings.table_problems import problems
from tailer.settings.toml_mistakes import unreadable
from tailrace import errors
from tailrace_cdk.config.alarms import Alarms
from tailrace_cdk.config.bus import Bus
from tailrace_cdk.config.database import Database
from tailrace_cdk.config.forwarder import Forwarder
from tailrace_cdk.config.network import NO_FARGATE_ON_ARM, Network
from tailrace_cdk.config.people import People
from tailrace_cdk.config.tailer import Tailer

NAME_LIMIT = 32  # characters of an environment's name; the queue of changes, whose name contains it, has 69 of SQS's 80


class Misconfigured(errors.Misconfigured):
    """The text has one line for each missing or wrong setting, with the remedy."""


class Environment(Section):
    """The settings of one stack, ``tailrace-<name>``."""

    name: str = Field(
        pattern=r"^[a-z]([a-z0-9]|-(?=[a-z0-9])){0,31}$",  # as DocumentDB takes it in the name of a cluster
        description="its name: lowercase letters and digits, at most 32 characters, with - only between two of them",
    )
    removal: Literal["retain", "destroy"] = Field(
        "retain",
        description="what happens to queues, table, bucket, keys and database when the stack is deleted: retain or destroy",
    )
    customer_key: bool = Field(False, description="whether a KMS key of the stack encrypts everything at rest")
    network: Network = Field(default_factory=Network, description="the VPC that the tailer runs in")
    database: Database | None = Field(None, description="a DocumentDB cluster to watch; leave it out for a MongoDB elsewhere")
    streams: tuple[Stream, ...] = Field((), description="change streams: a table [[streams]] for each")
    tailer: Tailer = Field(default_factory=Tailer, description="the ECS service")
    forwarder: Forwarder = Field(default_factory=Forwarder, description="the Lambda functions")
    bus: Bus = Field(default_factory=Bus, description="the event bus")
    people: People = Field(default_factory=People, description="roles outside the stack that its resource policies do not deny")
    alarms: Alarms = Field(default_factory=Alarms, description="where alarms are sent")

    @property
    def watches(self) -> bool:
        """Whether the stack has a tailer. Without it there is only the messaging part: no VPC, no database, no service."""
        return self.database is not None or bool(self.tailer.mongodb_uri)

    @property
    def namespace(self) -> str:
        """The CloudWatch namespace of the metrics of tailer and forwarder."""
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
            raise ValueError("streams: two streams have the same name; give each its own")
        if self.database is not None and self.tailer.mongodb_uri:
            raise ValueError("database: the tailer watches one cluster; leave out either tailer.mongodb_uri or [database]")
        own = self.database is not None and not self.database.host
        if own and self.network.vpc_id and len(set(self.network.availability_zones)) < 2:
            raise ValueError("network: a DocumentDB cluster needs subnets in two zones; add a subnet of another zone")
        if self.watches and not self.streams:
            raise ValueError("streams: the tailer has nothing to watch; add a table [[streams]]")
        tables = [one.table for one in self.forwarder.dynamodb_streams]
        if len(tables) != len(set(tables)):
            raise ValueError(
                "forwarder.dynamodb_streams: two entries name the same table; a table has one stream, leave one entry out"
            )
        if self.forwarder.source and self.bus.schemas:
            raise ValueError(
                "bus.schemas: the schemas name the source of each event; set schemas to false, or leave out forwarder.source"
            )
        if self.bus.name == "default":
            raise ValueError("bus.name: default is the bus of every account; use another name, or leave it out")
        if self.bus.kind == "ordered" and not self.bus_name[0].isalnum():
            raise ValueError("bus.name: the name of an ordered bus begins with a letter or a digit")
        if self.bus.kind == "ordered" and not self.bus.archive_days:
            raise ValueError("bus.archive_days: an ordered bus keeps its events for 1 to 365 days")
        return self

    @model_validator(mode="after")
    def _reachable(self) -> "Environment":
        """Refuse a network without a way to the database or the image: no task would ever become healthy."""
        image = self.tailer.image
        if not self.watches or self.network.vpc_id or self.network.egress == "nat":
            return self
        if self.tailer.mongodb_uri:
            raise ValueError(
                'network.egress: endpoints do not lead to a MongoDB elsewhere; set egress = "nat", or name an existing VPC'
            )
        if image and ".dkr.ecr." not in image:
            raise ValueError('network.egress: endpoints lead to images in ECR only; set egress = "nat", or use an image in ECR')
        return self


def load(file: Path) -> Environment:
    """Return the environment of a TOML file. The default of ``name`` is the name of the file."""
    try:
        tables = tomllib.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise Misconfigured(f"{file} cannot be read: {unreadable(error)}") from None
    return checked({"name": file.stem, **tables}, file.name)


def checked(tables: Mapping[str, Any], where: str, mistakes: Sequence[str] = ()) -> Environment:
    """
    Return the environment of these tables, which may be models already.

    ``where`` is the file or the construct that an error names. ``mistakes`` are further ones, a line for each.
    """
    try:
        environment, lines = Environment.model_validate(tables), list(mistakes)
    except ValidationError as error:
        environment, lines = None, [*mistakes, *problems(error, Environment)]
    if environment and not lines:
        return environment
    count = f"{len(lines)} settings need" if len(lines) > 1 else "1 setting needs"
    raise Misconfigured("\n  ".join([f"{where}: {count} attention:", *lines]))
