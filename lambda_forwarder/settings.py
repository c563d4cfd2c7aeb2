"""What the environment tells the forwarder. Everything missing or wrong is reported at once, by name."""

import pkgutil
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from lambda_forwarder.errors import Misconfigured
from lambda_forwarder.mapping.mapper_keys import bad_keys
from lambda_forwarder.metrics.metrics import STREAM

PREFIX = "FORWARDER_"
OFF = "off"  # instead of a table; DynamoDB allows a table of this name, which is then given by its ARN

Table = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-zA-Z0-9_.\-:/]{3,1024}$")]


class MapperTable(dict[str, Any]):
    """A table of mappers, and what it is called: ``module:attribute``. What is parked and redriven is compared by it."""

    def __init__(self, called: str, mappers: Mapping[str, Any]) -> None:
        super().__init__(mappers)
        self.called = called


def _mappers(value: Any) -> Any:
    """The table that "module:attribute" names."""
    if not isinstance(value, str):
        return value
    value = value.strip()
    if ":" not in value:
        raise ValueError("it is not of the form module:attribute")
    try:
        found = pkgutil.resolve_name(value)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"it cannot be imported: {error}: its package must be installed, or its folder on PYTHONPATH"
        ) from error
    except Exception as error:  # importing foreign code: anything may come
        raise ValueError(f"it cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(found, Mapping) or not all(_callables(mappers) for mappers in found.values()):
        raise ValueError("it is not a table of collection names and their mappers")
    if problems := list(bad_keys(found)):
        raise ValueError("; ".join(problems))
    return MapperTable(value, found)


def _names(value: Any) -> Any:
    """What stands between commas."""
    if not isinstance(value, str):
        return value
    names = {name.strip() for name in value.split(",")} - {""}
    if wrong := [name for name in names if not STREAM.fullmatch(name)]:
        raise ValueError(f"{len(wrong)} of its names are invalid: a name has 1 to 255 letters, digits, ., _ and -")
    return names


def _callables(mappers: Any) -> bool:
    return isinstance(mappers, Iterable) and all(map(callable, mappers))


class Settings(BaseSettings):
    """The description of each setting is also its remedy."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", regex_engine="python-re"
    )

    event_bus: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[/.\-_A-Za-z0-9:]{1,1600}$")] = Field(
        description="set it to the name or the ARN of the event bus"
    )
    parking_queue_url: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^https?://[^/\s]+/\S+$")] = Field(
        description="set it to the URL of the SQS queue for changes that cannot be published"
    )
    dead_letter_queue_url: (
        Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^https?://[^/\s]+/\S+$")] | None
    ) = Field(
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
    claim_bucket: (
        Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$")] | None
    ) = Field(
        None, description="set it to the name of the S3 bucket that the tailer's TAILER_CLAIM_BUCKET names; or leave it out"
    )
    source: Annotated[str, StringConstraints(max_length=256, pattern=r"^(?!aws\.).+$")] | None = Field(
        None,
        description="set it to the source of all events, like app.payments, not aws.…; or leave it out: "
        "schemas in a registry name each event's own",
    )
    emf_namespace: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._/#:-]{1,255}$")] | None = (
        Field(None, description="set it to the CloudWatch namespace of the metrics; or leave it out to write none")
    )
    streams: Annotated[frozenset[str], NoDecode, BeforeValidator(_names)] = Field(
        frozenset(),
        description="set it to the names of all streams, with commas between them, of a DynamoDB table dynamodb.TABLE: changes "
        "of any other are counted as unknown, and their watermarks expire; or leave it out: every name is taken, and tailer "
        "status does not show what no mapper reads",
    )
    mappers: Annotated[Any, BeforeValidator(_mappers)] = Field(
        "lambda_forwarder.mappings:MAPPERS",
        validate_default=True,
        description="set it to module:attribute of a table like lambda_forwarder.mappings:MAPPERS; or leave it out",
    )

    @property
    def watermark_table(self) -> str | None:
        """The table, or nothing where the watermarks are off."""
        return None if self.watermarks == OFF else self.watermarks


class StreamSettings(Settings):
    """Of a function behind a DynamoDB stream. Lambda keeps the place in the stream, so that no watermark applies."""

    watermarks: Table = OFF


def read_settings(kind: type[Settings] = Settings) -> Settings:
    """
    Read them from the environment and ``.env``.

    Raises:
        Misconfigured: its text has one line for each missing or bad setting, with the remedy.
    """
    try:
        return kind()
    except ValidationError as error:
        raise Misconfigured("\n".join(sorted(map(problem, error.errors())))) from None


def problem(error: Any) -> str:
    """One of pydantic's errors, with the setting's variable and its remedy."""
    field = str(error["loc"][0])
    remedy = Settings.model_fields[field].description
    message = "it is missing" if error["type"] == "missing" else error["msg"].removeprefix("Value error, ")
    return f"{PREFIX}{field.upper()}: {message}; {remedy}"
