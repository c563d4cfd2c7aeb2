"""The rights around the tailer's tasks. See ``tailrace_cdk.grants``."""

from collections.abc import Iterator, Mapping

from aws_cdk import Aws
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager

from tailrace_cdk.policies import Statement, allow, arn
from tailrace_cdk.tailing.enabling import Enabling
from tailrace_cdk.tailing.task import Task


def recording_flows(group: logs.ILogGroup) -> Iterator[Statement]:
    """Allow the VPC to write its flow log."""
    actions = ("CreateLogStream", "PutLogEvents", "DescribeLogStreams")
    yield allow("RecordFlows", "logs", actions, group.log_group_arn)


def starting(task: Task) -> Iterator[Statement]:
    """Allow ECS to start a task: pull its image, read its password, write its log."""
    if task.image.repository_arn:
        yield allow("SignInToTheRegistry", "ecr", ("GetAuthorizationToken",), "*")  # ECR has no narrower resource for it
        actions = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
        yield allow("PullTheImage", "ecr", actions, task.image.repository_arn)
    if task.sign_in:
        yield allow("FetchItsPassword", "secretsmanager", ("GetSecretValue",), task.sign_in.secret_arn)
        if key := task.sign_in.encryption_key:
            yield allow("DecryptItsPassword", "kms", ("Decrypt",), key.key_arn, conditions=_only_for(task.sign_in))
    yield allow("WriteItsLog", "logs", ("CreateLogStream", "PutLogEvents"), task.log.log_group_arn)


def enabling(enabling: Enabling) -> Iterator[Statement]:
    """Allow the function that enables change streams to run its task, wait for its end, and find the administrator's secret."""
    here = {"ArnEquals": {"ecs:cluster": enabling.cluster.cluster_arn}}
    # Any revision: a rollback and the deletion of the step run the previous revision.
    revisions = arn("ecs", f"task-definition/{enabling.task.definition.family}:*")
    yield allow("RunTheTask", "ecs", ("RunTask",), revisions, conditions=here)
    tasks = arn("ecs", f"task/{enabling.cluster.cluster_name}/*")
    yield allow("SeeItEnd", "ecs", ("DescribeTasks",), tasks, conditions=here)
    roles = (enabling.task.role.role_arn, enabling.task.execution_role.role_arn)
    only_to_ecs = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    yield allow("LendItItsRoles", "iam", ("PassRole",), *roles, conditions=only_to_ecs)
    if enabling.identifier:
        yield allow("FindTheSecret", "rds", ("DescribeDBClusters",), arn("rds", f"cluster:{enabling.identifier}"))


def _only_for(secret: secretsmanager.ISecret) -> Mapping[str, object]:
    """Return the condition for this secret, through Secrets Manager: the key may encrypt other things too."""
    return {
        "StringEquals": {
            "kms:ViaService": f"secretsmanager.{Aws.REGION}.amazonaws.com",
            "kms:EncryptionContext:SecretARN": secret.secret_arn,
        }
    }
