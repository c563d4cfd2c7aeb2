"""Statements, ARNs and trust policies."""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, Token
from aws_cdk import aws_iam as iam

Statement = iam.PolicyStatement


def allow(
    sid: str, service: str, actions: Sequence[str], *resources: str, conditions: Mapping[str, object] | None = None
) -> Statement:
    named = [f"{service}:{action}" for action in actions]
    return Statement(sid=sid, actions=named, resources=list(resources), conditions=conditions)


def arn(service: str, resource: str) -> str:
    """Return the ARN of a resource in this account and region."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"


def numbered(account: str) -> str:
    """Return the number of an account for the name of a statement; empty for an account that is known at deployment only."""
    return "" if Token.is_unresolved(account) else account


def service_principal(name: str, *, source: str = "") -> iam.ServicePrincipal:
    """
    Return the service ``name.amazonaws.com`` as a principal that acts for this account.

    ``source`` is the resource that it acts for, if known: a service and the part of an ARN after the account, e.g. ``ecs:*``.
    """
    conditions: dict[str, object] = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    if source:
        kind, _, resource = source.partition(":")
        conditions["ArnLike"] = {"aws:SourceArn": arn(kind, resource)}
    return iam.ServicePrincipal(f"{name}.amazonaws.com", conditions=conditions)
