"""The parts that an app may have already, and give to ``Tailrace`` in place of its own."""

from collections.abc import Sequence
from typing import TypedDict

from aws_cdk import aws_docdb as docdb
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs


class Existing(TypedDict, total=False):
    """
    Keyword arguments of ``Tailrace``. Each is a part that exists already; Tailrace makes none of its own in its place.

    Tailrace gives its roles their rights on such a part, in the policies of the roles. It does not change the part's own
    policy, encryption, retention or removal.
    """

    key: kms.IKey
    """Encrypts everything that Tailrace stores. Its policy must allow AWS services to use it (``tailrace_cdk.key``)."""
    changes_queue: sqs.IQueue
    """FIFO. Its visibility timeout is at least six times the forwarder's timeout. It has a dead-letter queue."""
    dead_letter_queue: sqs.IQueue
    """The dead-letter queue of ``changes_queue``. It may be left out if the app made ``changes_queue`` itself."""
    table: dynamodb.ITable
    """Its partition key is the text ``pk``, and its time-to-live attribute is ``expires``. It has no sort key."""
    claim_bucket: s3.IBucket
    """Its lifecycle rules keep an object for 45 days at least."""
    log_group: logs.ILogGroup
    """Takes the logs of the functions and of the tasks."""
    alarm_topic: sns.ITopic
    """Alarms are sent there. Its policy, and the policy of its key, must allow CloudWatch to publish."""
    vpc: ec2.IVpc
    """The network of the tasks. It must have routes to AWS and to the database."""
    subnets: Sequence[ec2.ISubnet]
    """Subnets of ``vpc``, or of the VPC of ``cluster``; by default its private ones."""
    security_groups: Sequence[ec2.ISecurityGroup]
    """The groups of the tasks. They get egress rules for AWS and for the database."""
    cluster: ecs.ICluster
    """The ECS cluster of the tasks. Its VPC is used, unless there is ``vpc``."""
    docdb_cluster: docdb.IDatabaseCluster
    """The DocumentDB cluster to watch. Its security groups get an ingress rule for the tasks."""
    admin_secret: secretsmanager.ISecret
    """The secret of an administrator of ``docdb_cluster``, to enable change streams; by default the cluster's own secret."""
    mongodb_secret: secretsmanager.ISecret
    """The secret that the tailer signs in with: its keys are ``username`` and ``password``."""
    image: str
    """URI of the tailer's image in ECR, with its digest. It may be a token, for example the value of a parameter."""
