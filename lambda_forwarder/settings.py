"""The settings of the forwarder, from environment variables. All missing and wrong ones are reported together."""

import pkgutil
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from lambda_forwarder.errors import Misconfigured
from lambda_forwarder.mapping.mapper_keys import bad_keys
from lambda_forwarder.metrics.metrics import STREAM

PREFIX = "FORWARDER_"
OFF = "off"  # the value that turns watermarks off; a table with this name must be given by its ARN

Url = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^https?://[^/\s]+/\S+$")]
Bus = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[/.\-_A-Za-z0-9:]{1,1600}$")]
Table = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-zA-Z0-9_.\-:/]{3,1024}$")]
Bucket = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$")]
Source = Annotated[str, StringConstraints(max_length=256, pattern=r"^(?!aws\.).+$")]
MetricNamespace = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._/#:-]{1,255}$")]


class MapperTable(dict[str, Any]):
    """A mapper table and the value of FORWARDER_MAPPERS that names it. Parked changes record this value for redrive."""

    def __init__(self, called: str, mappers: Mapping[str, Any]) -> None:
        super().__init__(mappers)
        self.called = called


def _mappers(value: Any) -> Any:
    """Import the table that ``module:attribute`` names."""
    if not isinstance(value, str):
        return value
    value = value.strip()
    if ":" not in value:
        raise ValueError("it is not of the form module:attribute")
    try:
        found = pkgutil.resolve_name(value)
    except ModuleNotFoundError as error:
        raise ValueError(f"it cannot be imported: {error}. Install its package or add its folder to PYTHONPATH") from error
    except Exception as error:  # any error of the imported code
        raise ValueError(f"it cannot be imported: {type(error).__name__}: {error}") from error
    if problems := problems_of_mappers(found):
        raise ValueError("; ".join(problems))
    return MapperTable(value, found)


def problems_of_mappers(table: Any) -> list[str]:
    """Return what is wrong with an imported table of mappers."""
    if not isinstance(table, Mapping) or not all(
        isinstance(mappers, Iterable) and all(map(callable, mappers)) for mappers in table.values()
    ):
        return ["it is not a mapping from collections to their mappers"]
    return list(bad_keys(table))


def _names(value: Any) -> Any:
    """Split names at commas."""
    if not isinstance(value, str):
        return value
    names = {name.strip() for name in value.split(",")} - {""}
    if wrong := [name for name in names if not STREAM.fullmatch(name)]:
        raise ValueError(f"{len(wrong)} of its names are invalid: a name has 1 to 255 letters, digits, ., _ and -")
    return names


class Settings(BaseSettings):
    """Each description is also the remedy in an error about its setting."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", regex_engine="python-re"
    )

    event_bus: Bus = Field(description="set it to the name or the ARN of the event bus")
    parking_queue_url: Url = Field(description="set it to the URL of the SQS queue for changes that cannot be published")
    dead_letter_queue_url: Url | None = Field(
        None, description="set it to the URL of the dead-letter queue of the tailer's queue, for redrive; or leave it out"
    )
    on_poison: Literal["park", "block"] = Field(
        "park",
        description="set it to park, or to block to hold back the message group of a change that cannot be published",
    )
    on_outage: Literal["wait", "park"] = Field(
        "wait",
        description="set it to wait, or to park, which parks changes of a DynamoDB stream during an outage of the bus",
    )
    watermarks: Table = Field(
        description="set it to the name or the ARN of a DynamoDB table with a string partition key pk, or to off: every change "
        "that the tailer sends again is then published again. A function behind a DynamoDB stream does not need it"
    )
    last_states: Table | None = Field(
        None,
        description="set it to the name or the ARN of a DynamoDB table with a string partition key pk, which keeps the fields "
        "that mappers declare with @remembers: their values before a change are then known on a server that sends none. Or "
        "leave it out. A function behind a DynamoDB stream does not use it",
    )
    claim_bucket: Bucket | None = Field(
        None, description="set it to the name of the S3 bucket that TAILER_CLAIM_BUCKET names; or leave it out"
    )
    source: Source | None = Field(
        None,
        description="set it to the source of all events, such as app.payments; it must not begin with aws. Or leave it out: "
        "each event has the source of its class, as in the schemas",
    )
    emf_namespace: MetricNamespace | None = Field(
        None, description="set it to the CloudWatch namespace of the metrics; or leave it out to write none"
    )
    streams: Annotated[frozenset[str], NoDecode, BeforeValidator(_names)] = Field(
        frozenset(),
        description="set it to the names of all streams, separated by commas (dynamodb.TABLE for a DynamoDB table): changes of "
        "other streams are counted as unknown, and their watermarks expire. Or leave it out: every name is accepted, and "
        "tailer status does not show the collections that no mapper reads",
    )
    mappers: Annotated[Any, BeforeValidator(_mappers)] = Field(
        description="set it to module:name of your table of mappers, such as events:MAPPERS for MAPPERS in events.py"
    )

    @property
    def watermark_table(self) -> str | None:
        """The table; None if watermarks are off."""
        return None if self.watermarks == OFF else self.watermarks


class StreamSettings(Settings):
    """The settings of a function behind a DynamoDB stream. Lambda keeps its position, so it needs no watermarks."""

    watermarks: Table = OFF


def read_settings(kind: type[Settings] = Settings) -> Settings:
    """Read the settings from the environment and ``.env``."""
    try:
        return kind()
    except ValidationError as error:
        raise Misconfigured("\n".join(sorted(map(problem, error.errors())))) from None


def problem(error: Any) -> str:
    """Return the message for an error of pydantic: the variable, what is wrong, and the remedy."""
    field = str(error["loc"][0])
    match error["type"]:
        case "missing":
            message = "it is missing"
        case "string_pattern_mismatch":
            message = f"its value does not match {error['ctx']['pattern']}"
        case _:
            message = error["msg"].removeprefix("Value error, ")
    return f"{PREFIX}{field.upper()}: {message}; {Settings.model_fields[field].description}"
