"""The tailer's settings: environment or ``.env``, each named ``TAILER_…``."""

import difflib
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from bson import json_util
from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tailer.aws.lanes import RULE
from tailer.checkpoints.stream_identity import LANE_RULE
from tailer.errors import Misconfigured
from tailer.mongodb.uri import elastic, mistake, names_a_user
from tailer.mongodb.watch import WHOLE, refusal, short
from tailer.settings.forms import moment, names, stages
from tailer.settings.names import PREFIX, Keys, as_set, called
from tailer.settings.stream_tables import stream_tables
from tailer.times import cluster_time_of, is_cluster_time
from tailrace.wire.change import canonical


class Settings(BaseSettings):
    """Everything one tailer needs to know. The descriptions are what a person reads when a setting is missing or wrong."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    mongodb_uri: SecretStr = Field(description="the replica set to watch, e.g. mongodb://host:27017/?replicaSet=rs0")
    mongodb_username: str = Field(default="", description="the user to sign in as, where the URI does not say")
    mongodb_password: SecretStr = Field(
        default=SecretStr(""), validate_default=True, description="that user's password, as it is, without any escapes"
    )
    queue_url: str = Field(description="the URL of the SQS FIFO queue; its name ends in .fifo")
    checkpoints: SecretStr = Field(
        description="where to remember how far the stream got: dynamodb://TABLE, mongodb: (the watched cluster), "
        "mongodb://HOST/… or file:///PATH (one machine only)"
    )
    stream: str = Field(pattern=r"^[A-Za-z0-9_-]{1,80}$", description="its name: letters, digits, - and _, at most 80")
    database: str = Field(min_length=1, description=f"the database to watch, or {WHOLE} for the whole cluster")
    collections: Annotated[tuple[str, ...], NoDecode, BeforeValidator(names)] = Field(
        default=(),
        description="collections to watch, in a variable separated by commas; leave it out for all of the database. With "
        "database *: shop.orders for a collection, shop.* for a database, orders for that collection of every database",
    )
    pipeline: Annotated[tuple[dict[str, Any], ...], NoDecode, BeforeValidator(stages)] = Field(
        default=(), description='further stages, a JSON list, e.g. [{"$match": {"operationType": "insert"}}]'
    )
    full_document: Literal["default", "updateLookup", "whenAvailable", "required"] = Field(
        default="updateLookup",
        description="default, updateLookup (a post-image where pre-images are required), whenAvailable or required",
    )
    full_document_before_change: Literal["off", "whenAvailable", "required"] = Field(
        default="off", description="off, whenAvailable or required; pre-images need MongoDB 6.0, DocumentDB has none"
    )
    lanes: int = Field(default=128, ge=1, le=100_000, description="message groups to spread the stream over, 1 to 100000")
    order_by: str = Field(
        default="document",
        min_length=1,
        description="document, stream (one lane) or the path of a field, which needs pre-images or a pipeline of inserts only",
    )
    start: Annotated[str, BeforeValidator(moment)] = Field(
        default="now", description="now, beginning or an RFC 3339 time; for the very first start only"
    )
    claim_bucket: str = Field(
        default="", description="S3 bucket for changes too large for a message, and for raw events of stubs"
    )
    on_poison: Literal["park", "stop"] = Field(
        default="park",
        description="park or stop: a stub for a change that can never be delivered, or the end of its stream",
    )
    history_seconds: int = Field(
        default=0,
        ge=0,
        description="how long the server keeps history, if it does not tell (DocumentDB: change_stream_log_retention_duration)",
    )
    lease_seconds: float = Field(default=15, ge=1, le=3600, description="how long a silent task keeps its stream, in seconds")
    scan_seconds: float = Field(
        default=3600,
        ge=60,
        le=86_400,
        description="how long a read may take while the server looks through history, in seconds",
    )
    http_host: str = Field(default="127.0.0.1", description="the address /healthz, /readyz and /metrics listen on")
    http_port: int = Field(default=8080, ge=0, le=65535, description="the port of /healthz, /readyz and /metrics; 0 for none")
    emf_namespace: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._/#:-]{0,255}$",
        description="the CloudWatch namespace of the figures, which are then also written to standard output once a minute",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto", description="auto (text at a terminal, else JSON lines), text or json"
    )
    config: Path | None = Field(default=None, description="a TOML file with a table per stream, for tasks that share several")
    config_toml: SecretStr = Field(
        default=SecretStr(""), description="the text of such a file itself, where a task has an environment but no files"
    )

    @field_validator("mongodb_uri")
    @classmethod
    def _scheme(cls, uri: SecretStr) -> SecretStr:
        if why := mistake(uri.get_secret_value()):
            raise ValueError(why)
        if elastic(uri.get_secret_value()):
            raise ValueError(
                "names an elastic cluster of Amazon DocumentDB, which has no change streams: name an instance-based cluster"
            )
        return uri

    @field_validator("mongodb_password")
    @classmethod
    def _one_sign_in(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        username, uri = info.data.get("mongodb_username", ""), info.data.get("mongodb_uri", SecretStr(""))
        if bool(username) != bool(password.get_secret_value()):
            raise ValueError(f"{PREFIX}MONGODB_USERNAME and {PREFIX}MONGODB_PASSWORD belong together: set both or neither")
        if username and names_a_user(uri.get_secret_value()):
            raise ValueError(f"{PREFIX}MONGODB_URI already names the user: set the user in one place only")
        return password

    @field_validator("lanes", "history_seconds", "lease_seconds", "scan_seconds", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        """Not TOML's ``true``, which would be 1."""
        if isinstance(value, bool):
            raise ValueError("must be a number")  # noqa: TRY004 - pydantic takes no other for a wrong setting
        return value

    @field_validator("queue_url")
    @classmethod
    def _fifo(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or not url.endswith(".fifo"):
            raise ValueError("not the URL of a FIFO queue")
        return url

    @field_validator("checkpoints")
    @classmethod
    def _known_store(cls, url: SecretStr) -> SecretStr:
        if not re.match(r"^(dynamodb://.|mongodb(\+srv)?://.|mongodb:$|file:///.)", url.get_secret_value()):
            raise ValueError("not a known kind of store")
        if url.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
            if why := mistake(url.get_secret_value()):
                raise ValueError(why)
            if elastic(url.get_secret_value()):
                raise ValueError(
                    "names an elastic cluster of Amazon DocumentDB, which cannot keep checkpoints: name another store"
                )
        return url

    @field_validator("database")
    @classmethod
    def _watchable(cls, database: str) -> str:
        if why := refusal(database, ()):
            raise ValueError(why)
        return database

    @field_validator("collections")
    @classmethod
    def _watchable_by_name(cls, collections: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """By the names that keep a checkpoint valid, however they were written."""
        database = info.data.get("database", "")
        if database and (why := refusal(database, collections)):
            raise ValueError(why)
        return short(database, collections)

    @field_validator("order_by")
    @classmethod
    def _order_that_is_recorded(cls, order_by: str, info: ValidationInfo) -> str:
        """A field's value must be what the server recorded with the change: a looked-up document may be newer."""
        before, pipeline = info.data.get("full_document_before_change", "required"), info.data.get("pipeline", ())
        if order_by in ("document", "stream") or before == "required" or pipeline[:1] == (_INSERTS,):
            return order_by
        raise ValueError(
            f"to order by a field, every change must contain the field: set {PREFIX}FULL_DOCUMENT_BEFORE_CHANGE=required "
            f"(MongoDB 6.0; DocumentDB has none), begin {PREFIX}PIPELINE with {json.dumps(_INSERTS)}, or order by document"
        )

    @field_validator("start")
    @classmethod
    def _position(cls, start: str) -> str:
        """``now``, ``beginning``, or a time as the cluster time ``"seconds.increment"`` it begins with."""
        if start in ("now", "beginning") or is_cluster_time(start):
            return start
        return cluster_time_of(start)

    _keys: Keys = PrivateAttr(default_factory=dict)  # of the table that the stream comes from

    @property
    def identity(self) -> str:
        """What this stream watches and how it is laned, as canonical JSON: kept with the checkpoint."""
        watched: dict[str, Any] = {
            "database": self.database,
            "collections": sorted(self.collections),
            "pipeline": json.loads(json_util.dumps(self.pipeline)),
            "lanes": self.lanes,
            "orderBy": self.order_by,
        }
        if self.order_by != "stream":  # its one lane needs no rule
            watched[LANE_RULE] = RULE
        return canonical(watched).decode()


def load() -> tuple[Settings, ...]:
    """
    The settings of every stream of this process: of the environment alone, or one for each table of ``TAILER_CONFIG`` or
    ``TAILER_CONFIG_TOML``, where the environment says what a table leaves out.

    Raises:
        Misconfigured: one line for each missing or wrong setting, all at once.
    """
    tables = stream_tables(_given("config"), _given("config_toml"), _OF_A_STREAM)
    streams: list[Settings] = []
    problems: dict[str, None] = {}  # in order; one of the environment's is every table's
    for table, values in tables.items():
        keys: Keys = {table: values.keys()} if table else {}
        try:
            settings = Settings(**values)
        except ValidationError as error:
            problems |= dict.fromkeys(_lines(error, keys))
        else:
            settings._keys = keys
            streams.append(settings)
    if problems:
        count = f"{len(problems)} settings need" if len(problems) > 1 else "1 setting needs"
        where = "environment or .env" if "" in tables else "TOML, environment or .env"
        raise Misconfigured("\n".join([f"{count} attention ({where}):", *problems, *_likely_typos()]))
    return tuple(streams)


def as_set_in(streams: Sequence[Settings]) -> Callable[[str], str]:
    """What makes a message about these streams call each setting as it was set: by its variable, or by key and table."""
    keys = {table: names for settings in streams for table, names in settings._keys.items()}
    return lambda text: as_set(text, keys)


def misspelt() -> dict[str, str]:
    """Every ``TAILER_`` variable that is no setting but looks like one, with the setting it resembles."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    given = {name.upper() for name in (*os.environ, *dotenv_values(".env")) if name.upper().startswith(PREFIX)}
    close = {name: difflib.get_close_matches(name, known, n=1) for name in sorted(given - set(known))}
    return {name: matches[0] for name, matches in close.items() if matches}


def _given(name: str) -> str:
    return os.environ.get(f"{PREFIX}{name.upper()}") or dotenv_values(".env").get(f"{PREFIX}{name.upper()}") or ""


def _lines(error: ValidationError, keys: Keys) -> list[str]:
    problems = {str(problem["loc"][0]): problem for problem in error.errors()}
    return [
        f"  {_setting(name, keys):{_WIDTH}} {as_set(_problem(name, problem, keys), keys)}" for name, problem in problems.items()
    ]


def _setting(name: str, keys: Keys) -> str:
    """As it was set; a stream's name, where there are tables, is the table's."""
    return f"[{next(iter(keys))}]" if keys and name == "stream" else called(name, keys)


def _problem(name: str, problem: Any, keys: Keys) -> str:
    description = Settings.model_fields[name].description
    if problem["type"] == "missing":
        return f"missing{', also in ' if keys else ''}{', '.join(f'[{table}]' for table in keys)}: {description}"
    return f"{problem['msg'].removeprefix('Value error, ')}: {description}"


def _likely_typos() -> list[str]:
    return [f"  {wrong:{_WIDTH}} is not a setting; did you mean {right}?" for wrong, right in misspelt().items()]


_INSERTS = {"$match": {"operationType": "insert"}}
_WIDTH = 35  # of the longest name
_OF_A_TASK = {"config", "config_toml", "emf_namespace", "http_host", "http_port", "log_level", "log_format"}
_OF_A_STREAM = set(Settings.model_fields) - _OF_A_TASK - {"stream"}
