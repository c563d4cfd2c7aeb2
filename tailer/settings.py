"""The tailer's settings: environment or ``.env``, each named ``TAILER_…``."""

import difflib
import json
import os
import re
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from bson import json_util
from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contract.change import canonical
from tailer.errors import Misconfigured

PREFIX = "TAILER_"
WHOLE_CLUSTER = "*"
OWN_DATABASE = "tailrace"
_STAGES = {"$match", "$project", "$redact", "$addFields", "$replaceRoot", "$set", "$unset"}  # what change streams allow
_LATEST_START = 2**32 - 1  # seconds, what a BSON timestamp can hold


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
    lease_seconds: float = Field(default=15, ge=1, le=3600, description="how long a silent task keeps its stream, in seconds")
    http_host: str = Field(default="127.0.0.1", description="the address /healthz, /readyz and /metrics listen on")
    http_port: int = Field(default=8080, ge=0, le=65535, description="the port of /healthz, /readyz and /metrics; 0 for none")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")

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
        time = datetime.fromisoformat(start)
        if time.tzinfo is None or not 0 <= time.timestamp() <= _LATEST_START:
            raise ValueError("a time needs its offset, e.g. 2026-01-31T12:00:00Z")
        return f"{int(time.timestamp())}.1"

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


def load() -> Settings:
    """
    The settings of this process.

    Raises:
        Misconfigured: one line for each missing or wrong setting, all at once.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = {str(problem["loc"][0]): problem for problem in error.errors()}
        lines = [f"  {PREFIX}{name.upper():28} {_problem(name, problem)}" for name, problem in problems.items()]
        count = f"{len(lines)} settings need" if len(lines) > 1 else "1 setting needs"
        raise Misconfigured("\n".join([f"{count} attention (environment or .env):", *lines, *_likely_typos()])) from None


def misspelt() -> dict[str, str]:
    """Every ``TAILER_`` variable that is no setting but looks like one, with the setting it resembles."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    given = {name.upper() for name in (*os.environ, *dotenv_values(".env")) if name.upper().startswith(PREFIX)}
    close = {name: difflib.get_close_matches(name, known, n=1) for name in sorted(given - set(known))}
    return {name: matches[0] for name, matches in close.items() if matches}


def _problem(name: str, problem: Any) -> str:
    description = Settings.model_fields[name].description
    if problem["type"] == "missing":
        return f"missing: {description}"
    return f"{problem['msg'].removeprefix('Value error, ')}: {description}"


def _likely_typos() -> list[str]:
    return [f"  {wrong:35} is not a setting; did you mean {right}?" for wrong, right in misspelt().items()]
