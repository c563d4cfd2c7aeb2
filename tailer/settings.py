"""The tailer's settings: environment or ``.env``, each named ``TAILER_…``."""

import difflib
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from bson import json_util
from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contract.change import canonical
from tailer.errors import Misconfigured
from tailer.times import cluster_time_of

PREFIX = "TAILER_"
WHOLE_CLUSTER = "*"
OWN_DATABASE = "tailrace"
_STAGES = {"$match", "$project", "$redact", "$addFields", "$replaceRoot", "$set", "$unset"}  # what change streams allow


def _names(value: Any) -> Any:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


def _stages(value: Any) -> Any:
    return json_util.loads(value) if isinstance(value, str) else value


class Settings(BaseSettings):
    """Everything one tailer needs to know. The descriptions are what a person reads when a setting is missing or wrong."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    mongodb_uri: SecretStr = Field(description="the replica set to watch, e.g. mongodb://host:27017/?replicaSet=rs0")
    queue_url: str = Field(description="the URL of the SQS FIFO queue; its name ends in .fifo")
    checkpoints: SecretStr = Field(
        description="where to remember how far the stream got: dynamodb://TABLE, mongodb: (the watched cluster), "
        "mongodb://HOST/… or file:///PATH (one machine only)"
    )
    stream: str = Field(pattern=r"^[A-Za-z0-9_-]{1,80}$", description="its name: letters, digits, - and _, at most 80")
    database: str = Field(min_length=1, description=f"the database to watch, or {WHOLE_CLUSTER} for the whole cluster")
    collections: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        default=(), description="comma list of collections to watch; empty for all of the database"
    )
    pipeline: Annotated[tuple[dict[str, Any], ...], NoDecode, BeforeValidator(_stages)] = Field(
        default=(), description='further stages, a JSON list, e.g. [{"$match": {"operationType": "insert"}}]'
    )
    full_document: Literal["default", "updateLookup", "whenAvailable", "required"] = Field(
        default="updateLookup", description="default, updateLookup, whenAvailable or required"
    )
    full_document_before_change: Literal["off", "whenAvailable", "required"] = Field(
        default="off", description="off, whenAvailable or required; pre-images need MongoDB 6.0, DocumentDB has none"
    )
    lanes: int = Field(default=128, ge=1, le=100_000, description="message groups to spread the stream over, 1 to 100000")
    order_by: str = Field(default="document", min_length=1, description="document, stream (one lane) or a field path")
    start: str = Field(default="now", description="now, beginning or an RFC 3339 time; for the very first start only")
    claim_bucket: str = Field(default="", description="S3 bucket for changes too large for a message; without one they stop it")
    history_seconds: int = Field(
        default=0,
        ge=0,
        description="how long the server keeps history, if it does not tell (DocumentDB: change_stream_log_retention_duration)",
    )
    lease_seconds: float = Field(default=15, ge=1, le=3600, description="how long a silent task keeps its stream, in seconds")
    http_host: str = Field(default="127.0.0.1", description="the address /healthz, /readyz and /metrics listen on")
    http_port: int = Field(default=8080, ge=0, le=65535, description="the port of /healthz, /readyz and /metrics; 0 for none")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    config: Path | None = Field(default=None, description="a TOML file with a table per stream, for tasks that share several")

    @field_validator("queue_url")
    @classmethod
    def _fifo(cls, url: str) -> str:
        if not urlsplit(url).scheme.startswith("http") or not url.endswith(".fifo"):
            raise ValueError("not the URL of a FIFO queue")
        return url

    @field_validator("checkpoints")
    @classmethod
    def _known_store(cls, url: SecretStr) -> SecretStr:
        if not re.match(r"^(dynamodb://.|mongodb(\+srv)?://.|mongodb:$|file:///.)", url.get_secret_value()):
            raise ValueError("not a known kind of store")
        return url

    @field_validator("database")
    @classmethod
    def _not_our_own(cls, database: str) -> str:
        if database == OWN_DATABASE:
            raise ValueError("no stream may watch the database the checkpoints are kept in")
        return database

    @field_validator("pipeline")
    @classmethod
    def _allowed_stages(cls, stages: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for stage in stages:
            if len(stage) != 1 or not stage.keys() <= _STAGES:
                raise ValueError(f"a stage is an object with one of {', '.join(sorted(_STAGES))}")
        return stages

    @field_validator("start")
    @classmethod
    def _position(cls, start: str) -> str:
        """``now``, ``beginning``, or a time as the cluster time ``"seconds.increment"`` it begins with."""
        if start in ("now", "beginning") or re.fullmatch(r"\d+\.\d+", start):
            return start
        return cluster_time_of(start)

    @property
    def identity(self) -> str:
        """What this stream watches and how it is laned, as canonical JSON: kept with the checkpoint."""
        watched = {
            "database": self.database,
            "collections": sorted(self.collections),
            "pipeline": json.loads(json_util.dumps(self.pipeline)),
            "lanes": self.lanes,
            "orderBy": self.order_by,
        }
        return canonical(watched).decode()


def load() -> tuple[Settings, ...]:
    """
    The settings of every stream of this process: of the environment alone, or one for each table of ``TAILER_CONFIG``, where
    the environment says what a table leaves out.

    Raises:
        Misconfigured: one line for each missing or wrong setting, all at once.
    """
    tables = _tables(os.environ.get(f"{PREFIX}CONFIG") or dotenv_values(".env").get(f"{PREFIX}CONFIG"))
    streams: list[Settings] = []
    problems: list[str] = []
    for name, table in tables.items():
        try:
            streams.append(Settings(**table))
        except ValidationError as error:
            problems += _lines(name, error)
    if problems:
        count = f"{len(problems)} settings need" if len(problems) > 1 else "1 setting needs"
        raise Misconfigured("\n".join([f"{count} attention (environment or .env):", *problems, *_likely_typos()]))
    return tuple(streams)


def misspelt() -> dict[str, str]:
    """Every ``TAILER_`` variable that is no setting but looks like one, with the setting it resembles."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    given = {name.upper() for name in (*os.environ, *dotenv_values(".env")) if name.upper().startswith(PREFIX)}
    close = {name: difflib.get_close_matches(name, known, n=1) for name in sorted(given - set(known))}
    return {name: matches[0] for name, matches in close.items() if matches}


def _tables(config: str | None) -> dict[str, dict[str, Any]]:
    """Stream name → what its table says. Without a file: one stream, of which the environment says everything."""
    if not config:
        return {"": {}}
    try:
        tables = tomllib.loads(Path(config).read_text())
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"{PREFIX}CONFIG: {config} cannot be read: {error}") from error
    if not tables:
        raise Misconfigured(f"{PREFIX}CONFIG: {config} names no stream: write a table for each, e.g. [payments]")
    for name, table in tables.items():
        unknown = sorted(set(table) - _OF_A_STREAM) if isinstance(table, dict) else [name]
        if unknown:
            raise Misconfigured(
                f"{PREFIX}CONFIG: {config}: {', '.join(unknown)} in [{name}] is not a setting of a stream; "
                f"there are {', '.join(sorted(_OF_A_STREAM))}"
            )
    return {name: {"stream": name, **table} for name, table in tables.items()}


def _lines(table: str, error: ValidationError) -> list[str]:
    problems = {str(problem["loc"][0]): problem for problem in error.errors()}
    where = f"[{table}] " if table else ""
    return [f"  {PREFIX}{name.upper():28} {where}{_problem(name, problem)}" for name, problem in problems.items()]


def _problem(name: str, problem: Any) -> str:
    description = Settings.model_fields[name].description
    if problem["type"] == "missing":
        return f"missing: {description}"
    return f"{problem['msg'].removeprefix('Value error, ')}: {description}"


def _likely_typos() -> list[str]:
    return [f"  {wrong:35} is not a setting; did you mean {right}?" for wrong, right in misspelt().items()]


_OF_A_TASK = {"config", "http_host", "http_port", "log_level"}
_OF_A_STREAM = set(Settings.model_fields) - _OF_A_TASK - {"stream"}
