"""The parts of a ``Tailrace`` that an app may use, and the rights that it may give."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace_cdk.messaging.messaging import Messaging
from tailrace_cdk.monitoring.monitoring import Monitoring
from tailrace_cdk.tailing.tailing import Tailing


class Parts(Construct):
    """Existing parts and those that Tailrace made are used alike."""

    tailing: Tailing | None
    """The tailer, its network and its database. None for a tailer elsewhere."""
    _bus: events.IEventBus
    _messaging: Messaging
    _monitoring: Monitoring

    @property
    def bus_arn(self) -> str:
        """The bus that events are published on."""
        return self._messaging.bus.arn

    @property
    def bus(self) -> events.IEventBus:
        """The classic bus, for rules of the app. Subscribers of an ordered bus name it by ``bus_arn``."""
        return self._bus

    @property
    def changes_queue(self) -> sqs.IQueue:
        """The queue between tailer and forwarder."""
        return self._messaging.queues.changes

    @property
    def dead_letter_queue(self) -> sqs.IQueue:
        """Messages that failed too often."""
        return self._messaging.queues.dead_letters

    @property
    def parking_queue(self) -> sqs.IQueue:
        """Changes that cannot be published, each with its reason."""
        return self._messaging.queues.parking

    @property
    def table(self) -> dynamodb.ITable:
        """Checkpoints, leases and watermarks."""
        return self._messaging.state.table

    @property
    def claim_bucket(self) -> s3.IBucket:
        """Changes too large for a message, and events too large for the bus."""
        return self._messaging.state.bucket

    @property
    def forwarder(self) -> lambda_.Function:
        """The function that publishes the events of changes."""
        return self._messaging.functions.forwarder

    @property
    def redrive(self) -> lambda_.Function:
        """The function that publishes again what was parked or dead-lettered."""
        return self._messaging.functions.redrive

    @property
    def service(self) -> ecs.FargateService | None:
        """The tailer's service. None for a tailer elsewhere."""
        return self.tailing.service.service if self.tailing else None

    @property
    def alarms(self) -> Sequence[cloudwatch.IAlarm]:
        """All alarms, for actions of the app."""
        return self._monitoring.alarms.alarms

    def grant_redrive(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow a role to invoke ``redrive``, which publishes parked changes and dead letters again."""
        return self.redrive.grant_invoke(grantee)
