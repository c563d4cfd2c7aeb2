"""The event bus that domain events are published on, and its deliveries to the buses of other teams."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace.packaging import Catalogue
from tailrace_cdk.config import Consumer, Environment
from tailrace_cdk.messaging.classic_bus import ClassicBus
from tailrace_cdk.messaging.ordered_bus import OrderedBus, is_ordered
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

    The rules, the archive and the policy of an existing bus are its owner's: it gets none here.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        key: kms.IKey | None,
        existing: events.IEventBus | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._key = key
        self.name = environment.bus_name
        self.arn: str
        self.address: str
        """The forwarder's ``FORWARDER_EVENT_BUS``."""
        self.unreadable: sqs.Queue | None = None
        self.deliveries: Sequence[Delivery] = ()
        self._bus: OrderedBus | ClassicBus | None = None
        if existing:
            here = Stack.of(self)
            near = (existing.env.account, existing.env.region) == (here.account, here.region)
            self.arn = existing.event_bus_arn
            self.address = existing.event_bus_name if near else self.arn
            self.ordered = is_ordered(self.arn)
        else:
            self.ordered = environment.bus.kind == "ordered"
            self._bus = self._make(environment)
            self.arn, self.address = self._bus.arn, self._bus.address
        if environment.bus.schemas and catalogue:
            Schemas(self, "Schemas", registry=self.name, catalogue=catalogue)

    def _make(self, environment: Environment) -> OrderedBus | ClassicBus:
        # Two ids: with one id, CloudFormation would refuse to replace one kind of bus by the other.
        bus = (
            OrderedBus(self, "Ordered", environment=environment, key=self._key)
            if self.ordered
            else ClassicBus(self, "Bus", environment=environment, key=self._key)
        )
        self.unreadable = bus.unreadable
        self.deliveries = [self._delivery(bus, consumer) for consumer in environment.bus.consumers]
        if environment.bus.allowed_accounts:
            bus.share(environment.bus.allowed_accounts)
        return bus

    def deny(self, statements: Iterable[iam.PolicyStatement]) -> None:
        """Add denials to the policy of a bus that was made here."""
        if self._bus:
            self._bus.deny(statements)

    def _delivery(self, bus: OrderedBus | ClassicBus, consumer: Consumer) -> Delivery:
        rules = "" if self.ordered else f"events:rule/{self.name}/*"
        role = iam.Role(self, f"{consumer.name}Role", assumed_by=service_principal("events", source=rules))
        undelivered = queue(
            self,
            f"{consumer.name}Undelivered",
            key=self._key,
            fifo=self.ordered or None,  # an ordered subscriber writes the events of a group as one message group
            content_based_deduplication=self.ordered or None,  # EventBridge is not documented to set a deduplication id
        )
        arn = bus.route(consumer, role, undelivered)
        return Delivery(consumer=consumer, role=role, undelivered=undelivered, arn=arn, ordered=self.ordered)
