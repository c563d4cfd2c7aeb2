"""
An ordered EventBridge bus (``AWS::EventsV2``): it keeps its events, and subscribers receive the events of a document in order.

No emulator has this service, and nothing here was tried on it. The names are those of its CloudFormation types, the rights
those of its documentation.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_eventsv2 as eventsv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace_cdk.config import Consumer, Environment
from tailrace_cdk.messaging.classic_bus import pattern

RETRIES = eventsv2.CfnSubscriber.RetryPolicyProperty(  # EventBridge's most; its default is five attempts in five minutes
    max_retry_attempts=185, max_event_age_in_seconds=86_400
)
SAME_PLACE = eventsv2.CfnSubscriber.EventBusV2ParametersProperty(  # an event keeps its group and id on another ordered bus
    system_metadata=eventsv2.CfnSubscriber.EventBusV2SystemMetadataProperty(
        event_group_id="{% $events.SystemMetadata.EventGroupId %}",
        deduplication_id="{% $events.SystemMetadata.DeduplicationId %}",
    )
)
SUBSCRIBE = ("CreateSubscriber", "UpdateSubscriber", "DescribeEventBus")


class OrderedBus(Construct):
    """The bus ``environment.bus_name``, which keeps its events for ``archive_days``. Its ARN is unknown until it is made."""

    unreadable: None = None  # while its key does not work, the bus accepts no events and keeps those that it has

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: kms.IKey | None) -> None:
        super().__init__(scope, id)
        encryption = eventsv2.CfnEventBus.EncryptionConfigurationProperty(kms_key_identifier=key.key_arn) if key else None
        bus = eventsv2.CfnEventBus(
            self,
            "Bus",
            name=environment.bus_name,
            encryption_configuration=encryption,
            storage_configuration=eventsv2.CfnEventBus.StorageConfigurationProperty(
                retention_period_in_days=environment.bus.archive_days
            ),
        )
        self.arn = self.address = bus.attr_event_bus_arn
        self._environment = environment
        self._statements: list[Any] = []
        self._last: eventsv2.CfnSubscriber | None = None

    def route(self, consumer: Consumer, role: iam.IRole, undelivered: sqs.IQueue) -> str:
        """Send the consumer's events to their bus in order, as the role, and return the subscriber's ARN."""
        subscriber = eventsv2.CfnSubscriber(
            self,
            f"{consumer.name}Subscriber",
            name=f"{self._environment.bus_name}-{consumer.name}",
            event_bus_arn=self.arn,
            type="FIFO",
            filter_configuration=eventsv2.CfnSubscriber.FilterConfigurationProperty(
                filters=[eventsv2.CfnSubscriber.FilterProperty(scope="DATA", pattern=json.dumps(pattern(consumer)))]
            ),
            invoke_configuration=eventsv2.CfnSubscriber.InvokeConfigurationProperty(
                target_arn=consumer.bus_arn,
                role_arn=role.role_arn,
                event_bus_v2_parameters=SAME_PLACE if is_ordered(consumer.bus_arn) else None,
            ),
            retry_policy=RETRIES,
            on_failure_configuration=eventsv2.CfnSubscriber.OnFailureConfigurationProperty(arn=undelivered.queue_arn),
        )
        subscriber.node.add_dependency(role)
        if self._last:
            subscriber.add_resource_dependency(self._last)  # a bus refuses two changes of subscribers at once
        self._last = subscriber
        return subscriber.attr_subscriber_arn

    def share(self, accounts: Sequence[str]) -> None:
        """Allow other accounts to attach subscribers to the bus. A single account is not a list: the service stores it so."""
        principals = [f"arn:{Aws.PARTITION}:iam::{account}:root" for account in accounts]
        statement = {
            "Sid": "LetAccountsSubscribe",
            "Effect": "Allow",
            "Principal": {"AWS": principals if len(principals) > 1 else principals[0]},
            "Action": [f"events:{action}" for action in SUBSCRIBE],
            "Resource": self.arn,
        }
        self._statements.append(statement)

    def deny(self, statements: Iterable[iam.PolicyStatement]) -> None:
        """Make the one policy of the bus, of these statements and those of ``share``."""
        self._statements += [statement.to_statement_json() for statement in statements]
        policy = {"Version": "2012-10-17", "Statement": self._statements}
        eventsv2.CfnResourcePolicy(self, "Policy", event_bus_arn=self.arn, policy_document=policy)


def is_ordered(bus_arn: str) -> bool:
    return ":event-busv2/" in bus_arn
