"""The tailer."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from tailer.mongodb.connection.uri import carries_a_secret, elastic, mistake
from tailer.settings.lease import LeaseSettings
from tailer.settings.table import Section
from tailrace_cdk.config.section import KEPT, Architecture, KeyArn, LogDays, SecretArn

FARGATE = {  # MiB by CPU
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16_385, 1024),
    4096: range(8192, 30_721, 1024),
}


class Tailer(LeaseSettings, Section):
    """The ECS service."""

    mongodb_uri: str = Field(
        "",
        description="URI of a MongoDB elsewhere, instead of [database], without credentials, e.g. mongodb://host/?replicaSet=rs0",
    )
    secret_arn: SecretArn = Field("", description="mongodb_uri only: ARN of a secret with the keys username and password")
    secret_key_arn: KeyArn = Field("", description="KMS key of secret_arn, if it is a key of your own")
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
    def _size_that_fargate_has(self) -> "Tailer":
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
