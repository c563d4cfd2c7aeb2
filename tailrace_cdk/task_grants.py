"""The rights around the tailer's tasks, written as in ``tailrace_cdk.grants``."""

from collections.abc import Iterator, Mapping

from aws_cdk import Aws
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager

from tailrace_cdk.policies import Statement, allow, arn
from tailrace_cdk.tailing.enabling import Enabling
from tailrace_cdk.tailing.task import Task


def recording_flows(group: logs.ILogGroup) -> Iterator[Statement]:
    """The VPC writes its flow log in this role."""
    actions = ("CreateLogStream", "PutLogEvents", "DescribeLogStreams")
    yield allow("RecordFlows", "logs", actions, group.log_group_arn)


def starting(task: Task) -> Iterator[Statement]:
    """To start a task, ECS pulls its image, reads its password and writes its log."""
    if task.image.repository_arn:
        yield allow("SignInToTheRegistry", "ecr", ("GetAuthorizationToken",), "*")  # ECR knows no narrower resource for it
        actions = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
        yield allow("PullTheImage", "ecr", actions, task.image.repository_arn)
    if task.sign_in:
        yield allow("FetchItsPassword", "secretsmanager", ("GetSecretValue",), task.sign_in.secret_arn)
        if key := task.sign_in.encryption_key:
            yield allow("DecryptItsPassword", "kms", ("Decrypt",), key.key_arn, conditions=_only_for(task.sign_in))
    yield allow("WriteItsLog", "logs", ("CreateLogStream", "PutLogEvents"), task.log.log_group_arn)


def enabling(enabling: Enabling) -> Iterator[Statement]:
    """The function that enables change streams runs one task, waits for its end, and finds the secret of the password."""
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
    """The key may encrypt other things: the role may decrypt only this secret, and only through Secrets Manager."""
    return {
        "StringEquals": {
            "kms:ViaService": f"secretsmanager.{Aws.REGION}.amazonaws.com",
            "kms:EncryptionContext:SecretARN": secret.secret_arn,
        }
    }
