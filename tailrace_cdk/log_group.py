"""A log group that keeps its lines for a number of days."""

from typing import cast

from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct


class LogGroup(logs.LogGroup):
    """
    Logs are kept for ``days``, any number of ``config.section.LOG_DAYS``; the CDK has names for them only.

    ``name`` is for a group that an AWS service writes to under a fixed name.
    """

    def __init__(self, scope: Construct, id: str, *, days: int, key: kms.IKey | None, name: str | None = None) -> None:
        super().__init__(scope, id, log_group_name=name, retention=logs.RetentionDays.INFINITE, encryption_key=key)
        cast(logs.CfnLogGroup, self.node.default_child).retention_in_days = days
