"""Who may be a role: a service of AWS, for this account only, so that nobody has it act for another."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam


def service(name: str, *, source: str = "") -> iam.ServicePrincipal:
    """
    The service ``name.amazonaws.com``, on behalf of this account.

    ``source`` is what it acts for, where that is known: the service of an ARN and what stands behind the account, ``ecs:*``.
    """
    conditions: dict[str, object] = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    if source:
        kind, _, resource = source.partition(":")
        conditions["ArnLike"] = {"aws:SourceArn": f"arn:{Aws.PARTITION}:{kind}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"}
    return iam.ServicePrincipal(f"{name}.amazonaws.com", conditions=conditions)
