"""What happens to a resource that leaves the stack."""

from aws_cdk import RemovalPolicy

from tailrace_cdk.config import Environment


def removal_policy(environment: Environment) -> RemovalPolicy:
    """Of every resource that holds data: retain, unless the environment says destroy."""
    return RemovalPolicy.DESTROY if environment.removal == "destroy" else RemovalPolicy.RETAIN
