"""
What a task reaches without a way to the internet, and what may be asked for there.

An endpoint costs money for each hour and zone, so each is here for a reason. Each takes the credentials of this account only:
nobody's data leaves through it with another account's.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from tailrace_cdk.config import Environment

# Fargate pulls the image as the task's execution role; the registry answers for both endpoints.
PULL = (
    "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage",
)  # fmt: skip
ACTIONS: Mapping[str, Sequence[str]] = {
    "sqs": ("sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"),  # the queue of changes
    "logs": ("logs:CreateLogStream", "logs:PutLogEvents"),  # a task's log, and its metrics with it
    "ecr.api": PULL,
    "ecr.dkr": PULL,
    "secretsmanager": ("secretsmanager:GetSecretValue",),  # the tailer's or the administrator's password, as a task starts
    "sts": ("sts:GetCallerIdentity",),  # with it DocumentDB checks who signs in with IAM; by which way is not documented
}
GATEWAYS: Mapping[str, Sequence[str]] = {  # these cost nothing
    "s3": ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:GetBucketLocation"),  # claims
    "dynamodb": ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DescribeTable"),  # the state table
}
_INTERFACES = {
    "sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
    "logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    "ecr.api": ec2.InterfaceVpcEndpointAwsService.ECR,
    "ecr.dkr": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
    "secretsmanager": ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    "sts": ec2.InterfaceVpcEndpointAwsService.STS,
}
_LAYERS = f"arn:{Aws.PARTITION}:s3:::prod-{Aws.REGION}-starport-layer-bucket/*"  # where ECR keeps the layers of images


def needed(environment: Environment) -> list[str]:
    """The interface endpoints that this environment's tasks cannot do without."""
    database = environment.database
    secrets = bool(environment.tailer.secret_arn or (database and (database.secret_arn or database.enable_change_streams)))
    unneeded = {
        "secretsmanager": not secrets,
        "sts": database is None or database.authentication != "iam",
    }
    return [name for name in ACTIONS if not unneeded.get(name)]


def add_gateways(vpc: ec2.Vpc) -> None:
    """S3 and DynamoDB, in every private route table."""
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
    """What the environment needs, under the services' own names, reachable by whom ``group`` lets in."""
    for name in needed(environment):
        endpoint = vpc.add_interface_endpoint(
            "".join(part.capitalize() for part in name.split(".")),
            service=_INTERFACES[name],
            private_dns_enabled=True,
            open=False,
            security_groups=[group],
        )
        endpoint.add_to_policy(_own(ACTIONS[name], "aws:PrincipalAccount"))


def _own(actions: Sequence[str], *accounts: str) -> iam.PolicyStatement:
    """These actions, where each of these accounts is this one. ``*`` is all that the endpoint leads to."""
    return iam.PolicyStatement(
        sid="PassForThisAccountOnly",
        principals=[iam.AnyPrincipal()],
        actions=list(actions),
        resources=["*"],
        conditions={"StringEquals": dict.fromkeys(accounts, Aws.ACCOUNT_ID)},
    )
