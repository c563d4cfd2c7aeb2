"""
Gives each role its rights, and adds the denials to the policies of the parts.

A role gets its rights on an existing part too. The policy of an existing part is its owner's, and gets no denial.
"""

from collections.abc import Iterable
from typing import cast

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from tailrace_cdk import grants, task_grants
from tailrace_cdk.config import Environment
from tailrace_cdk.denials import Denials
from tailrace_cdk.existing import Existing
from tailrace_cdk.messaging.messaging import Messaging
from tailrace_cdk.tailing.tailing import Tailing


def grant_messaging(messaging: Messaging, environment: Environment, existing: Existing) -> None:
    """Give the functions, the schedule and the deliveries their rights."""
    functions, queues, state, bus = messaging.functions, messaging.queues, messaging.state, messaging.bus
    _grant(functions.forwarder.role, grants.consuming(queues.changes))
    _grant(functions.redrive.role, grants.redriving(queues, state))
    for role in (functions.forwarder.role, functions.redrive.role):
        _grant(role, grants.remembering(state))
    for function, table in zip(functions.streams, environment.forwarder.dynamodb_streams, strict=True):
        _grant(function.role, grants.streaming(table, state))
    for function in (functions.forwarder, functions.redrive, *functions.streams):
        _grant(function.role, grants.publishing(bus, queues, state, environment.streams))
        _grant(function.role, grants.logging(function.log_group))
        _grant(function.role, grants.using_keys(messaging.keys))
    if functions.scheduling_role:
        _grant(functions.scheduling_role, grants.scheduling(functions.redrive))
    for delivery in bus.deliveries:
        _grant(delivery.role, grants.delivering(delivery))
        _grant(delivery.role, grants.using_keys([delivery.undelivered.encryption_master_key] if delivery.ordered else ()))
        _add(delivery.undelivered, grants.leaving(delivery))
    if unreadable := bus.unreadable:
        _add(unreadable, grants.setting_aside(unreadable, bus))
    if "claim_bucket" not in existing:
        _add(state.bucket, grants.fetching(messaging.readers, state))


def grant_tailing(tailing: Tailing, messaging: Messaging, environment: Environment, key: kms.IKey | None) -> None:
    """Give the tasks, and the function that enables change streams, their rights."""
    service, network, enabling = tailing.service, tailing.network, tailing.enabling
    _grant(tailing.role, grants.tailing(messaging.queues, messaging.state, environment.streams))
    _grant(tailing.role, grants.examining(messaging.queues, messaging.bus, messaging.functions.forwarder))
    _grant(tailing.role, grants.using_keys(messaging.keys))
    _grant(service.task.execution_role, task_grants.starting(service.task))
    if network.flow_log and network.flow_log_role:
        _grant(network.flow_log_role, task_grants.recording_flows(network.flow_log))
    if enabling:
        _grant(enabling.task.execution_role, task_grants.starting(enabling.task))
        _grant(enabling.task.execution_role, grants.using_keys([key], write=False))
        _grant(enabling.role, task_grants.enabling(enabling))
        _grant(enabling.role, grants.logging(enabling.log_group))


def deny_others(messaging: Messaging, environment: Environment, tailer: iam.IRole | None, existing: Existing) -> None:
    """Add the denials. ``tailer`` is the role of the tailer, if there is one here."""
    denials = Denials(messaging.functions, environment.people, tailer)
    queues, state, bus = messaging.queues, messaging.state, messaging.bus
    _add(queues.parking, denials.of_parking(queues))
    if "changes_queue" not in existing:
        _add(queues.changes, denials.of_changes(queues))
        _add(queues.dead_letters, denials.of_dead_letters(queues))
    for delivery in bus.deliveries:
        _add(delivery.undelivered, denials.of_undelivered(delivery))
    if unreadable := bus.unreadable:
        _add(unreadable, denials.of_unreadable(unreadable.queue_arn))
    if "table" not in existing:
        _add(state.table, denials.of_table())
    if state.last_states:
        _add(state.last_states, denials.of_last_states())
    if "claim_bucket" not in existing:
        _add(state.bucket, denials.of_bucket(state, messaging.readers, environment.streams))
    bus.deny(denials.of_bus(bus.arn, ordered=bus.ordered))


def _grant(role: iam.IRole | None, statements: Iterable[iam.PolicyStatement]) -> None:
    """Give the role these rights. A function always has a role."""
    for statement in statements:
        if role:
            role.add_to_principal_policy(statement)


def _add(part: sqs.IQueue | dynamodb.ITable | s3.IBucket, statements: Iterable[iam.PolicyStatement]) -> None:
    """Add the statements to the policy of a part that is not an existing one."""
    for statement in statements:
        cast(sqs.Queue | dynamodb.Table | s3.Bucket, part).add_to_resource_policy(statement)
