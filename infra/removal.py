"""What happens to a resource that leaves the stack."""

from aws_cdk import RemovalPolicy

from infra.settings import Environment


def removal_policy(environment: Environment) -> RemovalPolicy:
    """For everything that holds something: retained unless the environment says otherwise."""
    return RemovalPolicy.DESTROY if environment.removal == "destroy" else RemovalPolicy.RETAIN
