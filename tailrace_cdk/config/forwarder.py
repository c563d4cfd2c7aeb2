"""The Lambda functions of the forwarder."""

from typing import Literal

from pydantic import Field

from tailer.settings.table import Section
from tailrace_cdk.config.section import KEPT, KeyArn, LogDays


class StreamTable(Section):
    """A DynamoDB table whose changes become events: its stream invokes a function of its own."""

    stream_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:dynamodb:[^:]+:\d{12}:table/[^/]+/stream/\S+$", description="ARN of the table's stream"
    )
    key_arn: KeyArn = Field("", description="ARN of the KMS key that encrypts the table; leave it out for a key of AWS")
    on_outage: Literal["wait", "park"] = Field("wait", description="while the bus is unreachable: wait, or park the changes")
    start: Literal["TRIM_HORIZON", "LATEST"] = Field(
        "TRIM_HORIZON", description="where to start: TRIM_HORIZON or LATEST; cannot be changed after the first deployment"
    )

    @property
    def table(self) -> str:
        return self.stream_arn.split("/")[1]


class Forwarder(Section):
    """The Lambda functions: Python 3.13 on arm64."""

    memory: int = Field(512, ge=128, le=10_240, description="MB of a function, 128 to 10240; CPU grows with it")
    timeout: int = Field(
        30, ge=5, le=900, description="seconds, 5 to 900; the queue hides a message six times as long, 600 at least"
    )
    max_concurrency: int = Field(10, ge=2, le=1000, description="most concurrent invocations for the queue, 2 to 1000")
    mappers: str = Field(
        "",
        pattern=r"^([\w.]+:[\w.]+)?$",
        description="table of mappers as module:name; leave it out for that of the package",
    )
    source: str = Field(
        "",
        max_length=256,
        pattern=r"^(?!aws\.)",
        description="the source of all events; leave it out to use the source of each event class",
    )
    last_states: bool = Field(
        False,
        description="whether a table keeps the fields that mappers declare with @remembers; it adds a read and a write to each "
        "change of their collections",
    )
    on_poison: Literal["park", "block"] = Field("park", description="park a change that cannot be published, or block its lane")
    redrive_minutes: int = Field(
        15, ge=0, le=1440, description="minutes between redrives of parked changes; 0 for redrive by hand only"
    )
    reserve_redrive: bool = Field(
        True,
        description="whether Lambda prevents overlapping redrives (reserved concurrency 1); set false in a new account, whose "
        "quota of 10 leaves nothing to reserve",
    )
    log_days: LogDays = Field(30, description=KEPT)
    dynamodb_streams: tuple[StreamTable, ...] = Field((), description="DynamoDB tables whose streams are forwarded too")
