"""
The VPC endpoints by which a task calls AWS services without a way to the internet, and the actions that each allows.

An endpoint costs money for each hour and zone, so each has a reason. Each accepts credentials of this account only: no data can
leave through it to another account.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from tailrace_cdk.config import Environment

# Fargate pulls the image as the task's execution role, through both endpoints of ECR.
PULL = (
    "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
)  # fmt: skip
ACTIONS: Mapping[str, Sequence[str]] = {
    "sqs": ("sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"),  # the queue of changes
    "logs": ("logs:CreateLogStream", "logs:PutLogEvents"),  # a task's log, and its metrics with it
    "ecr.api": PULL,
    "ecr.dkr": PULL,
    "secretsmanager": ("secretsmanager:GetSecretValue",),  # the password, when a task starts
    "sts": ("sts:GetCallerIdentity",),  # DocumentDB checks with it who signs in with IAM; from where is not documented
}
GATEWAYS: Mapping[str, Sequence[str]] = {  # these cost nothing
    "s3": ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation"),  # claims
    "dynamodb": ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DescribeTable"),  # the state table
}
_LAYERS = f"arn:{Aws.PARTITION}:s3:::prod-{Aws.REGION}-starport-layer-bucket/*"  # ECR keeps the layers of images there


def needed(environment: Environment) -> list[str]:
    """Return the names of the interface endpoints that the tasks of this environment need."""
    database = environment.database
    unneeded = set()
    if not (environment.tailer.secret_arn or (database and (database.secret_arn or database.enable_change_streams))):
        unneeded.add("secretsmanager")
    if database is None or database.authentication != "iam":
        unneeded.add("sts")
    return [name for name in ACTIONS if name not in unneeded]


def add_gateways(vpc: ec2.Vpc) -> None:
    """Add S3 and DynamoDB to every private route table."""
    s3 = vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
    s3.add_to_policy(_own(GATEWAYS["s3"], "aws:PrincipalAccount", "aws:ResourceAccount"))
    s3.add_to_policy(
        iam.PolicyStatement(
            sid="FetchLayersByLinksThatTheRegistrySigned",
            principals=[iam.AnyPrincipal()],
            actions=["s3:GetObject"],
            resources=[_LAYERS],
        )
    )
    dynamodb = vpc.add_gateway_endpoint("DynamoDb", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
    dynamodb.add_to_policy(_own(GATEWAYS["dynamodb"], "aws:PrincipalAccount", "aws:ResourceAccount"))


def add_interfaces(vpc: ec2.Vpc, environment: Environment, group: ec2.ISecurityGroup) -> None:
    """Add the interface endpoints that the environment needs. ``group`` decides who may connect to them."""
    for name in needed(environment):
        endpoint = vpc.add_interface_endpoint(
            "".join(part.capitalize() for part in name.split(".")),
            service=ec2.InterfaceVpcEndpointAwsService(name),
            private_dns_enabled=True,
            open=False,
            security_groups=[group],
        )
        endpoint.add_to_policy(_own(ACTIONS[name], "aws:PrincipalAccount"))


def _own(actions: Sequence[str], *accounts: str) -> iam.PolicyStatement:
    """Allow these actions on everything, if each of these condition keys is this account."""
    return iam.PolicyStatement(
        sid="PassForThisAccountOnly",
        principals=[iam.AnyPrincipal()],
        actions=list(actions),
        resources=["*"],
        conditions={"StringEquals": dict.fromkeys(accounts, Aws.ACCOUNT_ID)},
    )
