"""Who may do what around the tailer's tasks, in the manner of ``infra.grants``."""

from collections.abc import Iterator, Mapping, Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.tailing.enabling import Enabling
from infra.tailing.task import Task

Statement = iam.PolicyStatement


def recording_flows(group: logs.ILogGroup) -> Iterator[Statement]:
    """What the VPC does as the role of its flow log."""
    actions = ("CreateLogStream", "PutLogEvents", "DescribeLogStreams")
    yield _allow("RecordFlows", "logs", actions, group.log_group_arn)


def starting(task: Task) -> Iterator[Statement]:
    """What ECS does to start a task: fetch its image and its password, and write its log."""
    if task.image.repository_arn:
        yield _allow("SignInToTheRegistry", "ecr", ("GetAuthorizationToken",), "*")  # ECR knows no narrower resource for it
        actions = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
        yield _allow("PullTheImage", "ecr", actions, task.image.repository_arn)
    if task.sign_in:
        yield _allow("FetchItsPassword", "secretsmanager", ("GetSecretValue",), task.sign_in.secret_arn)
        if key := task.sign_in.encryption_key:
            yield _allow("DecryptItsPassword", "kms", ("Decrypt",), key.key_arn, conditions=_only_for(task.sign_in))
    yield _allow("WriteItsLog", "logs", ("CreateLogStream", "PutLogEvents"), task.log.log_group_arn)


def enabling(enabling: Enabling) -> Iterator[Statement]:
    """What the function does that enables change streams: run that one task, watch it, and look for the password's secret."""
    here = {"ArnEquals": {"ecs:cluster": enabling.cluster.cluster_arn}}
    # Any revision: the one before runs while a deployment is taken back, and when the step ends.
    revisions = _arn("ecs", f"task-definition/{enabling.task.definition.family}:*")
    yield _allow("RunTheTask", "ecs", ("RunTask",), revisions, conditions=here)
    tasks = _arn("ecs", f"task/{enabling.cluster.cluster_name}/*")
    yield _allow("SeeItEnd", "ecs", ("DescribeTasks",), tasks, conditions=here)
    roles = (enabling.task.role.role_arn, enabling.task.execution_role.role_arn)
    only_to_ecs = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    yield _allow("LendItItsRoles", "iam", ("PassRole",), *roles, conditions=only_to_ecs)
    if enabling.identifier:
        yield _allow("FindTheSecret", "rds", ("DescribeDBClusters",), _arn("rds", f"cluster:{enabling.identifier}"))


def _only_for(secret: secretsmanager.ISecret) -> Mapping[str, object]:
    """The key may encrypt much else: it decrypts this secret for the role, and only for Secrets Manager."""
    return {
        "StringEquals": {
            "kms:ViaService": f"secretsmanager.{Aws.REGION}.amazonaws.com",
            "kms:EncryptionContext:SecretARN": secret.secret_arn,
        }
    }


def _arn(service: str, resource: str) -> str:
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"


def _allow(
    sid: str, service: str, actions: Sequence[str], *resources: str, conditions: Mapping[str, object] | None = None
) -> Statement:
    named = [f"{service}:{action}" for action in actions]
    return Statement(sid=sid, actions=named, resources=list(resources), conditions=conditions)
