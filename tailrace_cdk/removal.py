"""What happens to the resources that hold data when they leave the stack, or when the stack is deleted."""

from aws_cdk import CfnResource, RemovalPolicy
from constructs import Construct

from tailrace_cdk.config import Environment

HOLDS_DATA = frozenset(
    {
        "AWS::DynamoDB::Table", "AWS::Events::Archive", "AWS::Events::EventBus", "AWS::EventsV2::EventBus", "AWS::KMS::Key",
        "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::SQS::Queue",
    }
)  # fmt: skip


def apply_removal_policy(scope: Construct, environment: Environment) -> None:
    """Retain every resource below ``scope`` that holds data, or delete it if the environment says ``removal = "destroy"``."""
    policy = RemovalPolicy.DESTROY if environment.removal == "destroy" else RemovalPolicy.RETAIN
    for part in scope.node.find_all():
        if isinstance(part, CfnResource) and (part.cfn_resource_type in HOLDS_DATA or _of_database(part, scope, environment)):
            part.apply_removal_policy(policy)


def _of_database(part: CfnResource, scope: Construct, environment: Environment) -> bool:
    """
    Whether a database that outlives the stack needs the resource: its security group, parameters and subnets, and the VPC.

    That is so for an existing cluster too: it is in a VPC of the stack only if it was restored from a cluster of the stack.
    """
    where = {"AWS::EC2::SecurityGroup": "/Database/", "AWS::EC2::VPC": "/Vpc/", "AWS::EC2::Subnet": "/Vpc/Private"}
    kind = part.cfn_resource_type
    in_place = kind in where and where[kind] in part.node.path.removeprefix(scope.node.path)
    return environment.database is not None and (in_place or kind.startswith("AWS::DocDB::"))
