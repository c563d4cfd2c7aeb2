"""The metrics of CloudWatch: those of the tailer and the forwarder, and those that AWS services emit."""

from aws_cdk import Duration, Fn
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from tailrace.metrics import FORWARDER, STREAM, TAILER, Kind, Metric
from tailrace_cdk.messaging.bus import Delivery, EventBus

METRICS = TAILER | FORWARDER
MINUTE = Duration.minutes(1)  # the tailer emits its metrics once a minute
FIVE_MINUTES = Duration.minutes(5)

_STATISTICS = {Kind.COUNTER: "Sum", Kind.GAUGE: "Maximum", Kind.LATENCY: "p99"}  # standby tasks emit 0 beside the owner


class Metrics:
    """The metrics of one namespace, by the metrics' names."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def metric(self, name: str, stream: str = "", *, statistic: str = "", period: Duration = MINUTE) -> cloudwatch.Metric:
        """Return one metric. A metric per stream needs the name of a stream; no other metric may have one."""
        metric = METRICS[name]
        if metric.per_stream != bool(stream):
            raise ValueError(f"{name} is a metric of {'a stream' if metric.per_stream else 'the task'}")
        return cloudwatch.Metric(
            namespace=self._namespace,
            metric_name=name,
            dimensions_map={STREAM: stream} if stream else None,
            statistic=statistic or _STATISTICS[metric.kind],
            period=period,
        )

    def of_every_stream(self, name: str, *, statistic: str = "") -> cloudwatch.IMetric:
        """Return a line for each stream that emitted the metric. For dashboards only: an alarm cannot use a search."""
        metric = METRICS[name]
        return cloudwatch.SearchExpression(
            expression=f'SEARCH(\'{{"{self._namespace}",{STREAM}}} MetricName="{name}"\', '
            f"'{statistic or _STATISTICS[metric.kind]}', 60)",
            label=f"{name}{f' {statistic}' if statistic else ''} ${{PROP('Dim.{STREAM}')}}",
            period=MINUTE,
        )


def unit(metric: Metric) -> str:
    """Return the unit for the axis of a graph; empty for a plain number."""
    return metric.unit.lower() if metric.unit not in ("Count", "None") else ""


def waiting(queue: sqs.IQueue) -> cloudwatch.Metric:
    """Return the number of messages in a queue that should be empty."""
    return queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum")


def records(mapping: lambda_.CfnEventSourceMapping, name: str) -> cloudwatch.Metric:
    """Return how many records failed for good, by the name of Lambda's metric."""
    return _sum("AWS/Lambda", name, {"EventSourceMappingUUID": mapping.attr_id})


def lost(delivery: Delivery, bus: EventBus) -> cloudwatch.Metric:
    """Return how many events could be neither delivered to a consumer nor stored. The two kinds of bus name it differently."""
    if delivery.ordered:
        return _sum("AWS/EventsV2", "OnFailureDestinationFailed", {"EventBus": bus.arn, "Subscriber": delivery.arn})
    rule = Fn.select(2, Fn.split("/", delivery.arn))
    return _sum("AWS/Events", "InvocationsFailedToBeSentToDlq", {"EventBusName": bus.name, "RuleName": rule})


def _sum(namespace: str, name: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic="Sum", period=FIVE_MINUTES
    )
