"""Statements and ARNs."""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

Statement = iam.PolicyStatement


def allow(
    sid: str, service: str, actions: Sequence[str], *resources: str, conditions: Mapping[str, object] | None = None
) -> Statement:
    """Allow a role these actions of one service on these resources."""
    named = [f"{service}:{action}" for action in actions]
    return Statement(sid=sid, actions=named, resources=list(resources), conditions=conditions)


def arn(service: str, resource: str) -> str:
    """Return the ARN of a resource in this account and region."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"
