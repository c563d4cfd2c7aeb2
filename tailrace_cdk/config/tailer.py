"""The streams, and the tailer that watches them."""

import re
from copy import copy
from typing import Annotated, Any, Literal

from bson import json_util
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import PydanticBaseSettingsSource

from tailer.mongodb.uri import carries_a_secret, elastic, mistake
from tailer.settings.forms import stages
from tailer.settings.names import PREFIX
from tailer.settings.settings import Settings
from tailrace_cdk.config.section import KEPT, Architecture, KeyArn, LogDays, SecretArn, Section

PARKED = "parked"  # of what was too large for the parking queue: lambda_forwarder.parking.sqs.PREFIX
EVENTS = "events"  # the first part of the keys of events too large for the bus; the forwarder writes them, consumers read them
FARGATE = {  # MiB by CPU
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16_385, 1024),
    4096: range(8192, 30_721, 1024),
}


_VARIABLE = re.compile(rf"\b{PREFIX}([A-Z_]+)\b")  # of a task; here each setting has its own name


class _Alone(Settings):
    """The tailer's settings from arguments only: the environment of this process is ignored."""

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        return (sources["init_settings"],)


def _text(pipeline: Any) -> Any:
    """The stages as JSON text, as in the environment of a task."""
    return pipeline if isinstance(pipeline, str) else json_util.dumps(stages(pipeline))


def _same(name: str) -> Any:
    """The tailer's setting of this name: its default, bounds, forms and description."""
    return copy(Settings.model_fields[name])


class Stream(Section):
    """One change stream: the tailer's own settings by their own names."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,80}$", description="its name: letters, digits, - and _, at most 80; not events"
    )
    database: str = _same("database")
    collections: tuple[str, ...] = _same("collections")
    pipeline: Annotated[str, BeforeValidator(_text)] = Field(
        "", description='further stages, a list or JSON text, e.g. [{"$match": {"operationType": "insert"}}]'
    )
    full_document: Literal["default", "updateLookup", "whenAvailable", "required"] = _same("full_document")
    full_document_before_change: Literal["off", "whenAvailable", "required"] = _same("full_document_before_change")
    lanes: int = _same("lanes")
    order_by: str = _same("order_by")
    on_poison: Literal["park", "stop"] = _same("on_poison")
    start: str = _same("start")

    @field_validator("name")
    @classmethod
    def _own_prefix(cls, name: str) -> str:
        if name == EVENTS:
            raise ValueError(
                "rename the stream: its claims would lie below events/ of the claim bucket, which consumers may read"
            )
        if name == PARKED:
            raise ValueError(
                "rename the stream: its claims would lie below parked/ of the claim bucket, where the forwarder parks"
            )
        return name

    @model_validator(mode="after")
    def _as_the_tailer_reads_it(self) -> "Stream":
        """A deployment refuses the settings that a task would refuse at its start."""
        told = self.model_dump(exclude={"name"}) | {"pipeline": self.pipeline or "[]", "stream": self.name}
        try:
            _Alone(mongodb_uri="mongodb://host", queue_url="https://host/q.fifo", checkpoints="dynamodb://table", **told)
        except ValidationError as error:
            problems = (f"{one['loc'][0]}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors())
            raise ValueError(
                *(_VARIABLE.sub(lambda found: found[1].lower(), one) for one in problems)
            ) from None  # one argument each, so that each is reported on its own line
        return self


class Tailer(Section):
    """The ECS service."""

    mongodb_uri: str = Field(
        "",
        description="URI of a MongoDB elsewhere, instead of [database], without credentials, e.g. mongodb://host/?replicaSet=rs0",
    )
    secret_arn: SecretArn = Field("", description="mongodb_uri only: ARN of a secret with the keys username and password")
    secret_key_arn: KeyArn = Field("", description="the KMS key of secret_arn, where it is a key of your own")
    cpu: Literal[256, 512, 1024, 2048, 4096] = Field(256, description="CPU units of a task: 256, 512, 1024, 2048 or 4096")
    memory: int = Field(
        512,
        ge=512,
        le=30_720,
        description="MiB of a task; Fargate allows certain sizes for each cpu: 512, 1024 or 2048 for 256",
    )
    architecture: Architecture = Field("arm64", description="arm64 or x86_64")
    standby_tasks: int = Field(1, ge=0, le=10, description="standby tasks, in addition to one task for each stream")
    image: str = Field(
        "",
        pattern=r"^(\S+@sha256:[0-9a-f]{64})?$",
        description="image with its digest, NAME@sha256:…, in ECR of the stack's region if egress is endpoints; leave it out "
        "to build tailer/Dockerfile during the deployment",
    )
    log_days: LogDays = Field(30, description=KEPT)
    lease_seconds: float = Field(
        15, ge=1, le=3600, description="seconds until another task takes over the stream of a task that stopped responding"
    )
    scan_seconds: float = Field(
        3600, ge=60, le=86_400, description="seconds that a read may take while the server scans its history"
    )

    @field_validator("mongodb_uri")
    @classmethod
    def _no_secret(cls, uri: str) -> str:
        if uri and not uri.startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("it is not a MongoDB URI: begin with mongodb:// or mongodb+srv://")
        if carries_a_secret(uri):
            raise ValueError(
                "the URI contains credentials, which would be readable in the environment of the task: remove user, password "
                "and session token, and name a secret in secret_arn"
            )
        if elastic(uri):
            raise ValueError("an elastic cluster of Amazon DocumentDB has no change streams: name an instance-based cluster")
        if uri and (why := mistake(uri, files=False)):
            raise ValueError(f"it {why}")
        return uri

    @model_validator(mode="after")
    def _size_that_there_is(self) -> "Tailer":
        *others, most = FARGATE[self.cpu]
        if self.memory not in (*others, most):
            raise ValueError(f"memory: a task with cpu {self.cpu} can have {', '.join(map(str, others))} or {most}")
        return self

    @model_validator(mode="after")
    def _secret_of_a_uri(self) -> "Tailer":
        if self.secret_arn and not self.mongodb_uri:
            raise ValueError("secret_arn belongs to mongodb_uri: set that too, or set [database] secret_arn for a DocumentDB")
        if self.secret_key_arn and not self.secret_arn:
            raise ValueError("secret_key_arn is the key of secret_arn: set that too")
        return self
