"""The dashboard. From top to bottom it follows a change from the database to the bus."""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tailrace_cdk.config import Environment
from tailrace_cdk.messaging.functions import Functions
from tailrace_cdk.messaging.queues import Queues
from tailrace_cdk.monitoring.alarms import Alarms
from tailrace_cdk.monitoring.metrics import METRICS, MINUTE, Metrics, unit

WIDTH = 24  # units of a row, CloudWatch


class Dashboard(Construct):
    """
    The dashboard ``tailrace-<environment>-<region>``: the dashboards of all regions of an account share one set of names.

    A row answers a question; its graphs have a line for each stream, also for streams that are added later. A stack without a
    tailer has no rows about it.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        queues: Queues,
        functions: Functions,
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, id)
        self._metrics = Metrics(environment.namespace)
        self._limit = environment.alarms.lag_seconds
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"tailrace-{environment.name}-{Aws.REGION}")
        status = cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms.alarms, width=WIDTH, height=3)
        self.dashboard.add_widgets(status)
        if environment.watches:
            self._tailing()
        self._forwarding(queues.changes, functions)
        self._set_aside(queues)

    def _tailing(self) -> None:
        limit = cloudwatch.HorizontalAnnotation(value=self._limit, label="alarm", color=cloudwatch.Color.RED)
        self._row(
            "Is every stream up to date, and how much headroom is left?",
            self._graph("Lag", "Lag", annotations=[limit]),
            self._graph("Headroom and history", "Headroom", "History"),
            self._graph("Checkpoint age", "CheckpointAge"),
        )
        self._row(
            "Who tails the streams?",
            self._graph("Owners", "LeaseOwner"),
            self._graph("Standby tasks", "StandingBy"),
            self._graph("Stopped streams", "Stopped"),
        )
        self._row(
            "How many changes are there?",
            self._graph("Changes", "ChangesRead", "ChangesSent"),
            self._graph("Messages and calls", "Messages", "Calls", "Claims"),
            self._graph("Bytes", "MessageBytes"),
        )
        self._row(
            "What does the tailer wait for?",
            self._latency("Commit to queue", "CommitToQueue"),
            self._graph("Retries and reconnects", "Retries", "Reconnects"),
            self._graph("Accepted gaps and stubs", "Gaps", "ChangesStubbed"),
        )

    def _forwarding(self, changes: sqs.IQueue, functions: Functions) -> None:
        waiting = changes.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum", label="waiting")
        in_progress = changes.metric_approximate_number_of_messages_not_visible(
            period=MINUTE, statistic="Maximum", label="in progress"
        )
        age = changes.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum", label="age, seconds")
        self._row(
            "Does the queue run empty?",
            _widget("Messages", waiting, in_progress),
            _widget("Oldest message", age),
            self._graph("Events published", "EventsPublished"),
        )
        lambdas = [functions.forwarder, functions.redrive, *functions.streams]
        self._row(
            "Does the forwarder keep up?",
            self._latency("Commit to bus", "CommitToBus"),
            _widget("Invocations, errors, throttles", *(metric for each in lambdas for metric in _invocations(each))),
            self._graph("Failed messages, dropped repeats, no mapper", "MessagesFailed", "DuplicatesDropped", "Unmapped"),
        )

    def _set_aside(self, queues: Queues) -> None:
        depths = [
            queue.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum", label=label)
            for label, queue in (("dead letters", queues.dead_letters), ("parked", queues.parking))
        ]
        self._row(
            "What could not be published?",
            _widget("Dead letters and parked changes", *depths),
            self._graph("Parked changes", "ChangesParked"),
        )

    def _row(self, question: str, *graphs: cloudwatch.IWidget) -> None:
        self.dashboard.add_widgets(cloudwatch.TextWidget(markdown=f"## {question}", width=WIDTH, height=1))
        self.dashboard.add_widgets(*graphs)

    def _graph(
        self, title: str, *names: str, annotations: Sequence[cloudwatch.HorizontalAnnotation] | None = None
    ) -> cloudwatch.IWidget:
        lines = [self._line(name) for name in names]
        return _widget(title, *lines, label=unit(METRICS[names[0]]), annotations=annotations)

    def _line(self, name: str) -> cloudwatch.IMetric:
        return self._metrics.of_every_stream(name) if METRICS[name].per_stream else self._metrics.metric(name)

    def _latency(self, title: str, name: str) -> cloudwatch.IWidget:
        lines = [self._metrics.of_every_stream(name, statistic=statistic) for statistic in ("p50", "p99", "Maximum")]
        return _widget(title, *lines, label=unit(METRICS[name]))


def _widget(
    title: str,
    *metrics: cloudwatch.IMetric,
    label: str = "",
    annotations: Sequence[cloudwatch.HorizontalAnnotation] | None = None,
) -> cloudwatch.GraphWidget:
    axis = cloudwatch.YAxisProps(min=0, label=label, show_units=False)
    return cloudwatch.GraphWidget(title=title, left=list(metrics), left_y_axis=axis, left_annotations=annotations, width=8)


def _invocations(function: lambda_.IFunction) -> Sequence[cloudwatch.IMetric]:
    name = function.node.id.lower()
    return (
        function.metric_invocations(period=MINUTE, label=f"{name} invocations"),
        function.metric_errors(period=MINUTE, label=f"{name} errors"),
        function.metric_throttles(period=MINUTE, label=f"{name} throttles"),
    )
