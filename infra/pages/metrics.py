"""``docs/metrics.md``: every metric, as its definition describes it."""

from infra.package import REPOSITORY
from infra.pages.tables import table
from tailrace.metrics import FORWARDER, TAILER, Kind, Metric

PAGE = REPOSITORY / "docs" / "metrics.md"

_SHOWN = {
    Kind.COUNTER: "what was added",
    Kind.GAUGE: "how it is",
    Kind.LATENCY: "how long each took",
}
_TOP = """# Metrics

Every figure there is. This page is written by `make docs` from `tailrace/metrics.py`: do not edit it.

With `TAILER_EMF_NAMESPACE` a task writes a line for each stream to standard output, in the middle of every minute and once
more when it ends; with `FORWARDER_EMF_NAMESPACE` a function writes one for each stream at the end of every invocation in
which something happened. The lines are in CloudWatch's Embedded Metric Format, and CloudWatch makes metrics of them wherever
they reach one of its logs: through Lambda, and through the `awslogs` driver of ECS, which needs no option for it where
CloudWatch knows the format by itself, as it does in most regions. (The driver's `awslogs-format` is not among the options
that ECS documents. What a region does, the first minute shows.)

A stack sets both to `Tailrace/ENVIRONMENT`. The one dimension is `Stream`; what belongs to no stream has none. Each metric of
each stream is charged as a custom metric.

A counter is what was added since the line before: use `Sum`. A gauge is how it is: use `Maximum`, because tasks that stand by
show 0 beside the owner; what nobody knows is left out. A latency is one value for each batch or message, in lines of at most
100 of them: of more an even sample, with the longest. On a server that tells a commit's time to the second only, as
DocumentDB does, a latency is up to a second too long.
"""
_TAILER = """## The tailer

On `/metrics` for Prometheus too, with the label `stream`; there a counter is the sum since the start, and every duration is
in seconds.
"""
_FORWARDER = """## The forwarder

Of the queue's function, and of those behind DynamoDB streams, whose stream is called `dynamodb.TABLE`. Redrive counts what it
publishes and parks, but no latency. What is not ours counts for the stream `unknown`.
"""


def page() -> str:
    """The whole page."""
    tailer = table(("CloudWatch", "unit", "Prometheus", "a value is", "meaning"), map(_of_both, TAILER.values()))
    forwarder = table(("CloudWatch", "unit", "a value is", "meaning"), map(_of_cloudwatch, FORWARDER.values()))
    return "\n".join([_TOP, _TAILER, tailer, "", _FORWARDER, forwarder, ""])


def _of_both(metric: Metric) -> tuple[str, ...]:
    name, unit, *rest = _of_cloudwatch(metric)
    suffix = "_total" if metric.kind is Kind.COUNTER else ""
    return name, unit, f"`{metric.prometheus}{suffix}`", *rest


def _of_cloudwatch(metric: Metric) -> tuple[str, ...]:
    return f"`{metric.name}`", metric.unit, _SHOWN[metric.kind], metric.meaning
