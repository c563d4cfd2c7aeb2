"""Trust policies: an AWS service may assume a role for this account only (no confused deputy)."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from tailrace_cdk.policies import arn


def service(name: str, *, source: str = "") -> iam.ServicePrincipal:
    """
    Return the service ``name.amazonaws.com`` as a principal that acts for this account.

    ``source`` is the resource that it acts for, if known: a service and the part of an ARN after the account, e.g. ``ecs:*``.
    """
    conditions: dict[str, object] = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    if source:
        kind, _, resource = source.partition(":")
        conditions["ArnLike"] = {"aws:SourceArn": arn(kind, resource)}
    return iam.ServicePrincipal(f"{name}.amazonaws.com", conditions=conditions)
