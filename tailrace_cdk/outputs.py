"""The outputs that a deployment prints when it ends."""

import json

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ec2 as ec2

from tailrace_cdk.tailing.service import Service
from tailrace_cdk.tailing.tailing import Tailing
from tailrace_cdk.tailing.task import CONTAINER, Task
from tailrace_cdk.tailrace import Tailrace


def add(stack: Stack, tailrace: Tailrace) -> None:
    _of_messaging(stack, tailrace)
    if tailrace.tailing:
        _of_tailing(stack, tailrace.tailing)


def _of_messaging(stack: Stack, tailrace: Tailrace) -> None:
    """Output queues, table, bucket and bus: the settings of a tailer outside the stack."""
    _output(stack, "QueueUrl", tailrace.changes_queue.queue_url, "TAILER_QUEUE_URL")
    _output(stack, "StateTable", tailrace.table.table_name, "TAILER_CHECKPOINTS=dynamodb://…")
    _output(stack, "ClaimBucket", tailrace.claim_bucket.bucket_name, "TAILER_CLAIM_BUCKET")
    _output(stack, "EventBusArn", tailrace.bus_arn, "The bus that domain events are published on")
    _output(
        stack, "ParkingQueueUrl", tailrace.parking_queue.queue_url, "Changes that could not be published, each with its reason"
    )
    _output(stack, "DeadLetterQueueUrl", tailrace.dead_letter_queue.queue_url, "Messages that failed too often")


def _of_tailing(stack: Stack, tailing: Tailing) -> None:
    """Output the service, and shell commands that run a command of the tailer in a task of its own."""
    service, subnets = tailing.service, tailing.network.subnets
    _output(stack, "ClusterName", service.cluster.cluster_name, "The ECS cluster")
    _output(stack, "ServiceName", service.service.service_name, "The tailer's service")
    _output(stack, "LogGroupName", service.log_group.log_group_name, "The tailer's log")
    _output(stack, "Doctor", _run(service, service.task, subnets, "doctor"), "Checks everything, from inside")
    if tailing.enabling:
        command = _run(service, tailing.enabling.task, subnets, "change-streams", "show")
        _output(stack, "ChangeStreams", command, "Shows which change streams are enabled")


def _run(service: Service, task: Task, subnets: ec2.SubnetSelection, *command: str) -> str:
    """Return the shell command that runs a task with this command. The task writes to the tailer's log."""
    network = {
        "awsvpcConfiguration": {
            "subnets": [subnet.subnet_id for subnet in subnets.subnets or ()],
            "securityGroups": [group.security_group_id for group in service.security_groups],
        }
    }
    overrides = {"containerOverrides": [{"name": CONTAINER, "command": list(command)}]}
    return (
        f"aws ecs run-task --launch-type FARGATE --cluster {service.cluster.cluster_name} "
        f"--task-definition {task.definition.family} "
        f"--network-configuration '{json.dumps(network)}' --overrides '{json.dumps(overrides)}'"
    )


def _output(stack: Stack, name: str, value: str, description: str) -> None:
    CfnOutput(stack, name, value=value, description=description)
