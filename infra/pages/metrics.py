"""``docs/operations/metrics.md``: every metric, from its definition."""

from infra.package import REPOSITORY
from infra.pages.tables import table
from tailrace.metrics import FORWARDER, TAILER, Kind, Metric

PAGE = REPOSITORY / "docs" / "operations" / "metrics.md"

_SHOWN = {
    Kind.COUNTER: "what was added",
    Kind.GAUGE: "the present value",
    Kind.LATENCY: "how long each took",
}
_TOP = """# Metrics

Every metric. `make docs` writes this page from `tailrace/metrics.py`: do not edit it.

With `TAILER_EMF_NAMESPACE` a task writes a line for each stream to standard output, in the middle of every minute and once
more when it ends. With `FORWARDER_EMF_NAMESPACE` a function writes a line for each stream at the end of every invocation in
which something happened. The lines are in CloudWatch's Embedded Metric Format. CloudWatch makes metrics of them when
they reach one of its logs: through Lambda, and through the `awslogs` driver of ECS, which needs no option for it if
CloudWatch recognises the format by itself, as it does in most regions. (ECS does not document the driver's
`awslogs-format`. The first minute shows what a region does.)

A stack sets both namespaces to `Tailrace/ENVIRONMENT`. The only dimension is `Stream`; a metric that belongs to no stream has
none. Each metric of each stream is charged as a custom metric.

A counter is what was added since the line before: use `Sum`. A gauge is the present value: use `Maximum`, because standbys
report 0 beside the owner. Unknown values are left out. A latency is one value for each batch or message, in lines of at most
100 values; of more, the line has an even sample and the longest. If a server reports the time of a commit only in seconds, as
DocumentDB does, a latency is up to a second too long.
"""
_TAILER = """## The tailer

Also on `/metrics` for Prometheus, with the label `stream`. There a counter is the sum since the start, and every duration is
in seconds.
"""
_FORWARDER = """## The forwarder

From the queue's function, and from those of DynamoDB streams, whose stream is called `dynamodb.TABLE`. Redrive counts what it
publishes and parks, but no latency. Streams that the deployment does not know count as `unknown`.
"""


def page() -> str:
    tailer = table(("CloudWatch", "unit", "Prometheus", "a value is", "meaning"), map(_of_both, TAILER.values()))
    forwarder = table(("CloudWatch", "unit", "a value is", "meaning"), map(_of_cloudwatch, FORWARDER.values()))
    return "\n".join([_TOP, _TAILER, tailer, "", _FORWARDER, forwarder, ""])


def _of_both(metric: Metric) -> tuple[str, ...]:
    name, unit, *rest = _of_cloudwatch(metric)
    suffix = "_total" if metric.kind is Kind.COUNTER else ""
    return name, unit, f"`{metric.prometheus}{suffix}`", *rest


def _of_cloudwatch(metric: Metric) -> tuple[str, ...]:
    return f"`{metric.name}`", metric.unit, _SHOWN[metric.kind], metric.meaning
