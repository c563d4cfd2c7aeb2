"""The event bus that domain events are published on, and the way from there to other teams' buses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace_cdk import trust
from tailrace_cdk.config import Consumer, Environment
from tailrace_cdk.messaging.classic_bus import ClassicBus
from tailrace_cdk.messaging.ordered_bus import OrderedBus
from tailrace_cdk.messaging.queues import NO_SOURCE, RETENTION_DAYS
from tailrace_cdk.messaging.schemas import Schemas
from tailrace_cdk.removal import removal_policy


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """The way to one consumer: as ``role``; what cannot be delivered stays in ``undelivered``."""

    consumer: Consumer
    role: iam.Role
    undelivered: sqs.Queue
    arn: str
    """Of a classic bus's rule, which itself writes to ``undelivered``; of an ordered one's subscriber, whose role does."""
    ordered: bool


class EventBus(Construct):
    """
    A classic bus with its archive, or an ordered one that keeps its events itself.

    Each consumer has a rule (ordered: a subscriber) to their own bus, with a queue of its own for what their bus refused, or
    did not take for a day. Which events it gets, its ``events`` say by name.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: kms.IKey | None) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._key = key
        self.name = environment.bus_name
        self.ordered = environment.bus.kind == "ordered"
        # Under one id CloudFormation would refuse to make one of the other.
        kind, own_id = (OrderedBus, "Ordered") if self.ordered else (ClassicBus, "Bus")
        self._bus: OrderedBus | ClassicBus = kind(self, own_id, environment=environment, key=key)
        self.arn = self._bus.arn
        self.address = self._bus.address
        """What the forwarder calls it by."""
        self.unreadable = self._bus.unreadable
        """Where a classic bus under a key of ours leaves events that it cannot encrypt or decrypt."""
        self.deliveries: Sequence[Delivery] = [self._delivery(consumer) for consumer in environment.bus.consumers]
        if environment.bus.allowed_accounts:
            self._bus.share(environment.bus.allowed_accounts)
        if environment.bus.schemas:
            Schemas(self, "Schemas", registry=self.name)

    def deny(self, statements: Iterable[iam.PolicyStatement]) -> None:
        """Have the bus itself refuse these."""
        self._bus.deny(list(statements))

    def _delivery(self, consumer: Consumer) -> Delivery:
        rules = "" if self.ordered else f"events:rule/{self.name}/*"
        role = iam.Role(self, f"{consumer.name}Role", assumed_by=trust.service("events", source=rules))
        undelivered = sqs.Queue(
            self,
            f"{consumer.name}Undelivered",
            fifo=self.ordered or None,  # a subscriber in order leaves its records in order, each group's in a group
            content_based_deduplication=self.ordered or None,  # EventBridge is not documented to set a deduplication id
            retention_period=Duration.days(RETENTION_DAYS),
            encryption=sqs.QueueEncryption.KMS if self._key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=self._key,
            enforce_ssl=True,
            redrive_allow_policy=NO_SOURCE,
            removal_policy=removal_policy(self._environment),
        )
        arn = self._bus.route(consumer, role, undelivered)
        return Delivery(consumer=consumer, role=role, undelivered=undelivered, arn=arn, ordered=self.ordered)
