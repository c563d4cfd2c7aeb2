"""The database."""

from typing import Literal

from pydantic import Field, model_validator

from tailer.mongodb.connection.uri import elastic
from tailer.settings.table import Section
from tailrace_cdk.config.section import ID, KeyArn, SecretArn


class Database(Section):
    """A new DocumentDB cluster, or an existing one by its host."""

    host: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.-]*$",
        description="host name of an existing DocumentDB cluster (its cluster endpoint); leave it out for a new cluster",
    )
    port: int = Field(27017, ge=1, le=65535, description="the cluster's port")
    security_group_id: str = Field(
        "", pattern=rf"^(sg-{ID})?$", description="existing cluster only: its security group, which gets a rule for the tailer"
    )
    admin_secret_arn: SecretArn = Field(
        "",
        description="existing cluster only: ARN of an administrator's secret ({username, password}), to enable change streams",
    )
    admin_secret_key_arn: KeyArn = Field("", description="KMS key of admin_secret_arn, if it is a key of your own")
    engine_version: str = Field(
        "5.0.0",
        pattern=r"^(5|8)\.0\.\d{1,2}$",
        description="DocumentDB version of the new cluster: 5.0.x or 8.0.x, e.g. 5.0.0 or 8.0.2",
    )
    instance_class: str = Field(
        "t4g.medium", pattern=r"^[a-z0-9]+\.[a-z0-9]+$", description="instance class without db., e.g. t4g.medium or r8g.large"
    )
    instances: int = Field(1, ge=1, le=16, description="instances of the new cluster; 2 or more survive the loss of a zone")
    backup_days: int = Field(7, ge=1, le=35, description="days of automatic backups, 1 to 35")
    history_seconds: int = Field(
        86_400,
        ge=3_600,
        le=604_800,
        description="how long the cluster keeps changes (change_stream_log_retention_duration), 3600 to 604800 seconds",
    )
    authentication: Literal["iam", "secret"] = Field(
        "iam", description="how the tailer signs in: iam (its role), or secret (username and password of secret_arn)"
    )
    secret_arn: SecretArn = Field(
        "",
        description="authentication secret only: ARN of a secret with the keys username and password of an existing user; "
        "a new cluster has none and begins with iam",
    )
    secret_key_arn: KeyArn = Field("", description="KMS key of secret_arn, if it is a key of your own")
    enable_change_streams: bool = Field(
        True, description="whether a deployment enables change streams for the watched collections before it starts the tailer"
    )
    disable_change_streams: bool = Field(
        False,
        description="whether removing that step, or the stack, disables them; their history is then lost",
    )

    @model_validator(mode="after")
    def _new_or_existing(self) -> "Database":
        if elastic(f"mongodb://{self.host}"):
            raise ValueError("an elastic cluster of Amazon DocumentDB has no change streams: name an instance-based cluster")
        if self.host and not self.security_group_id:
            raise ValueError("an existing cluster needs security_group_id, to allow the tailer to connect")
        if not self.host and (self.security_group_id or self.admin_secret_arn):
            raise ValueError("security_group_id and admin_secret_arn belong to an existing cluster: set host")
        if self.host and self.enable_change_streams and not self.admin_secret_arn:
            raise ValueError("enable_change_streams on an existing cluster needs admin_secret_arn; or set it to false")
        if (self.authentication == "secret") != bool(self.secret_arn):
            raise ValueError('secret_arn and authentication = "secret" go together')
        for secret in ("secret", "admin_secret"):
            if getattr(self, f"{secret}_key_arn") and not getattr(self, f"{secret}_arn"):
                raise ValueError(f"{secret}_key_arn is the key of {secret}_arn: set that too")
        return self
