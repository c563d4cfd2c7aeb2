"""The event bus that domain events are published on, and its deliveries to the buses of other teams."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace_cdk.config import Consumer, Environment
from tailrace_cdk.messaging.classic_bus import ClassicBus
from tailrace_cdk.messaging.ordered_bus import OrderedBus
from tailrace_cdk.messaging.queues import queue
from tailrace_cdk.messaging.schemas import Schemas
from tailrace_cdk.policies import service_principal


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """
    How events reach one consumer: ``role`` sends them, and ``undelivered`` keeps what the consumer's bus did not take.

    ``arn`` is that of a classic bus's rule, which writes to ``undelivered`` itself, or of an ordered bus's subscriber, whose
    role does.
    """

    consumer: Consumer
    role: iam.Role
    undelivered: sqs.Queue
    arn: str
    ordered: bool


class EventBus(Construct):
    """
    A classic bus with its archive, or an ordered bus, which keeps its events itself.

    Each consumer has a rule (on an ordered bus a subscriber) that sends the events named in ``events`` to their bus, and a
    queue for the events that their bus refused, or did not accept for a day.
    """

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: kms.IKey | None) -> None:
        super().__init__(scope, id)
        self._key = key
        self.name = environment.bus_name
        self.ordered = environment.bus.kind == "ordered"
        # Two ids: with one id, CloudFormation would refuse to replace one kind of bus by the other.
        self._bus: OrderedBus | ClassicBus = (
            OrderedBus(self, "Ordered", environment=environment, key=key)
            if self.ordered
            else ClassicBus(self, "Bus", environment=environment, key=key)
        )
        self.arn = self._bus.arn
        self.address = self._bus.address  # the forwarder's FORWARDER_EVENT_BUS
        self.unreadable = self._bus.unreadable
        self.deny = self._bus.deny
        self.deliveries: Sequence[Delivery] = [self._delivery(consumer) for consumer in environment.bus.consumers]
        if environment.bus.allowed_accounts:
            self._bus.share(environment.bus.allowed_accounts)
        if environment.bus.schemas:
            Schemas(self, "Schemas", registry=self.name)

    def _delivery(self, consumer: Consumer) -> Delivery:
        rules = "" if self.ordered else f"events:rule/{self.name}/*"
        role = iam.Role(self, f"{consumer.name}Role", assumed_by=service_principal("events", source=rules))
        undelivered = queue(
            self,
            f"{consumer.name}Undelivered",
            key=self._key,
            fifo=self.ordered or None,  # an ordered subscriber writes the events of a group as one message group
            content_based_deduplication=self.ordered or None,  # EventBridge is not documented to set a deduplication id
        )
        arn = self._bus.route(consumer, role, undelivered)
        return Delivery(consumer=consumer, role=role, undelivered=undelivered, arn=arn, ordered=self.ordered)
