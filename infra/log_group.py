"""A log group that keeps its lines for a stated time."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct


class LogGroup(logs.LogGroup):
    """``days`` is any number that CloudWatch knows (``infra.config.section.LOG_DAYS``); the CDK knows them by names only.

    ``name`` is for a group that a service of AWS writes to under a name of its own."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        days: int,
        key: kms.IKey | None,
        removal: RemovalPolicy,
        name: str | None = None,
    ) -> None:
        super().__init__(
            scope, id, log_group_name=name, retention=logs.RetentionDays.INFINITE, encryption_key=key, removal_policy=removal
        )
        cast(logs.CfnLogGroup, self.node.default_child).retention_in_days = days
