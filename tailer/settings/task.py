"""The settings of a task: what it connects to, and the process itself."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from tailer.mongodb.connection.uri import elastic, mistake, names_a_user
from tailer.settings.names import PREFIX
from tailer.settings.stream import StreamName
from tailer.settings.table import Table
from tailer.stores.table import FORMS, kind_of


class Connections(Table):
    """The name of a stream, and the cluster, queue, store and bucket that its task uses."""

    stream: StreamName
    mongodb_uri: SecretStr = Field(description="URI of the replica set to watch, e.g. mongodb://host:27017/?replicaSet=rs0")
    mongodb_username: str = Field(default="", description="user to sign in as, if the URI names none")
    mongodb_password: SecretStr = Field(
        default=SecretStr(""), validate_default=True, description="password of that user, as it is, without any escapes"
    )
    history_seconds: int = Field(
        default=0,
        ge=0,
        description="how long the server keeps its history, if it does not report it (DocumentDB: "
        "change_stream_log_retention_duration)",
    )
    queue_url: str = Field(description="URL of the SQS FIFO queue; its name ends in .fifo")
    checkpoints: SecretStr = Field(description=f"where checkpoints are kept: {FORMS}")
    claim_bucket: str = Field(
        default="", description="S3 bucket for changes that are too large for a message, and for raw events of stubs"
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

    @field_validator("queue_url")
    @classmethod
    def _fifo(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc or not url.endswith(".fifo"):
            raise ValueError("not the URL of a FIFO queue")
        return url

    @field_validator("checkpoints")
    @classmethod
    def _known_store(cls, secret: SecretStr) -> SecretStr:
        kind_of(secret.get_secret_value())
        return secret


class ProcessSettings(Table):
    """The process: the same for all its streams."""

    http_host: str = Field(default="127.0.0.1", description="address that /healthz, /readyz and /metrics listen on")
    http_port: int = Field(default=8080, ge=0, le=65535, description="port of /healthz, /readyz and /metrics; 0 for none")
    emf_namespace: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._/#:-]{0,255}$",
        description="CloudWatch namespace of the metrics, which are then also written to standard output once a minute",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto", description="auto (text at a terminal, else JSON lines), text or json"
    )
    config: Path | None = Field(
        default=None, description="TOML file with a table for each stream, for tasks that share several"
    )
    config_toml: SecretStr = Field(
        default=SecretStr(""), description="text of such a file, for a task that has an environment but no files"
    )
