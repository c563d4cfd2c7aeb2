"""Trust policies: which AWS service may assume a role, and for this account only (no confused deputy)."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam


def service(name: str, *, source: str = "") -> iam.ServicePrincipal:
    """
    The service ``name.amazonaws.com``, on behalf of this account.

    ``source`` is the resource that it acts for, if known: the service of an ARN and the part after the account, ``ecs:*``.
    """
    conditions: dict[str, object] = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    if source:
        kind, _, resource = source.partition(":")
        conditions["ArnLike"] = {"aws:SourceArn": f"arn:{Aws.PARTITION}:{kind}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"}
    return iam.ServicePrincipal(f"{name}.amazonaws.com", conditions=conditions)
