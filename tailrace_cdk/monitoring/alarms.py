"""The alarms. Each is named after its section of the runbook, and after the stream, table or consumer that it is about."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from tailrace_cdk.config import Environment
from tailrace_cdk.messaging.bus import Delivery, EventBus
from tailrace_cdk.messaging.functions import Functions
from tailrace_cdk.messaging.queues import Queues
from tailrace_cdk.monitoring.descriptions import description
from tailrace_cdk.monitoring.metrics import FIVE_MINUTES, MINUTE, Metrics, lost, records, waiting

Missing = cloudwatch.TreatMissingData
ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
FROM = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


class Alarms(Construct):
    """
    Alarms are named ``tailrace-<environment>-<page>`` or ``tailrace-<environment>-<page>.<about>``. Each notifies
    ``topic`` when it begins and when it ends.

    An alarm on a metric of every minute begins after three bad minutes of three or five, so that one late value is no alarm. A
    missing value is bad if the metric is always emitted, and good if it is emitted only when something happens.
    ``mappings`` are those of the DynamoDB streams, in the environment's order.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        queues: Queues,
        functions: Functions,
        mappings: Sequence[lambda_.CfnEventSourceMapping],
        bus: EventBus,
        topic: sns.ITopic | None,
    ) -> None:
        super().__init__(scope, id)
        self._settings = environment.alarms
        self._prefix = f"tailrace-{environment.name}"
        self._action = actions.SnsAction(topic) if topic else None
        self._metrics = Metrics(environment.namespace)
        self.alarms: list[cloudwatch.IAlarm] = []
        if environment.watches:
            for stream in environment.streams:
                self._of_stream(stream.name)
            if environment.tailer.standby_tasks:
                standing_by = self._metrics.metric("StandingBy", period=FIVE_MINUTES)
                self._alarm("no-standby", standing_by, BELOW, 1, bad=3, of=3, missing=Missing.BREACHING)
        self.of_tailers = tuple(self.alarms)
        """The alarms on the tailer's metrics, which are in alarm while no tailer runs."""
        self._of_queues(queues)
        self._of_function("", functions.forwarder)
        minutes = max(FIVE_MINUTES.to_minutes(), environment.forwarder.redrive_minutes)  # one run in each period
        self._of_function("redrive", functions.redrive, period=Duration.minutes(minutes))
        for table, function, mapping in zip(environment.forwarder.dynamodb_streams, functions.streams, mappings, strict=True):
            self._of_table(table.table, function, mapping)
        if bus.unreadable:
            self._alarm("bus-key", waiting(bus.unreadable), FROM, 1)
        for delivery in bus.deliveries:
            self._of_delivery(delivery, bus)

    def _of_stream(self, stream: str) -> None:
        metrics, settings = self._metrics, self._settings
        lag = metrics.metric("Lag", stream)
        self._alarm("lag", lag, ABOVE, settings.lag_seconds, bad=3, of=5, missing=Missing.IGNORE, about=stream)
        left = cloudwatch.MathExpression(
            expression="headroom / history",
            using_metrics={
                "headroom": metrics.metric("Headroom", stream, statistic="Minimum"),
                "history": metrics.metric("History", stream),
            },
            label="part of the history that is left",
            period=MINUTE,
        )
        self._alarm(
            "headroom", left, BELOW, settings.headroom_fraction, bad=3, of=5, missing=Missing.MISSING, about=stream
        )  # unknown is neither good nor bad; if no task tails the stream, no-owner is in alarm
        owner = metrics.metric("LeaseOwner", stream)
        self._alarm("no-owner", owner, BELOW, 1, bad=3, of=3, missing=Missing.BREACHING, about=stream)
        stubs = metrics.metric("ChangesStubbed", stream, period=FIVE_MINUTES)
        self._alarm("stubs", stubs, FROM, 1, about=stream)
        stopped = metrics.metric("Stopped", stream, period=FIVE_MINUTES)
        self._alarm("stream-stopped", stopped, FROM, 1, of=3, about=stream)  # a task reports it, ends and is started again

    def _of_queues(self, queues: Queues) -> None:
        age = queues.changes.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum")
        self._alarm("queue-age", age, ABOVE, self._settings.lag_seconds, bad=3, of=5)
        self._alarm("dead-letters", waiting(queues.dead_letters), FROM, 1)
        self._alarm("parking", waiting(queues.parking), FROM, 1)

    def _of_function(self, about: str, function: lambda_.IFunction, period: Duration = FIVE_MINUTES) -> None:
        errors = function.metric_errors(period=period, statistic="Sum")
        self._alarm("forwarder-errors", errors, FROM, 1, bad=2, of=3, about=about)
        throttles = function.metric_throttles(period=period, statistic="Sum")
        self._alarm("forwarder-throttles", throttles, FROM, 1, bad=2, of=3, about=about)

    def _of_table(self, table: str, function: lambda_.IFunction, mapping: lambda_.CfnEventSourceMapping) -> None:
        self._of_function(table, function)
        age = function.metric("IteratorAge", period=MINUTE, statistic="Maximum")  # milliseconds
        self._alarm("table-age", age, ABOVE, 1000 * self._settings.lag_seconds, bad=3, of=5, about=table)
        self._alarm("records-kept", records(mapping, "OnFailureDestinationDeliveredEventCount"), FROM, 1, about=table)
        self._alarm("records-lost", records(mapping, "DroppedEventCount"), FROM, 1, about=table)

    def _of_delivery(self, delivery: Delivery, bus: EventBus) -> None:
        name = delivery.consumer.name
        self._alarm("undelivered", waiting(delivery.undelivered), FROM, 1, about=name)
        self._alarm("events-lost", lost(delivery, bus), FROM, 1, about=name)

    def _alarm(
        self,
        page: str,
        metric: cloudwatch.IMetric,
        operator: cloudwatch.ComparisonOperator,
        threshold: float,
        *,
        bad: int = 1,
        of: int = 1,
        missing: cloudwatch.TreatMissingData = Missing.NOT_BREACHING,
        about: str = "",
    ) -> None:
        """Make an alarm that begins when ``bad`` of the last ``of`` periods are bad."""
        name = f"{self._prefix}-{page}{f'.{about}' if about else ''}"
        alarm = cloudwatch.Alarm(
            self,
            name.removeprefix(f"{self._prefix}-"),
            alarm_name=name,
            alarm_description=description(page),
            metric=metric,
            comparison_operator=operator,
            threshold=threshold,
            datapoints_to_alarm=bad,
            evaluation_periods=of,
            treat_missing_data=missing,
        )
        if self._action:
            alarm.add_alarm_action(self._action)
            alarm.add_ok_action(self._action)
        self.alarms.append(alarm)
