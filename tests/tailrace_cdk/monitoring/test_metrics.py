"""The metrics as CloudWatch has them: asked for by the names and dimensions under which they are shown."""

import re

import pytest
from aws_cdk import Duration

from infra.pages.metrics import PAGE, page
from tailrace.metrics import FORWARDER, TAILER
from tailrace_cdk.monitoring.metrics import METRICS, Metrics

METRIC = Metrics("Tailrace/test")


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_can_be_asked_for(name: str) -> None:
    """In the stack's namespace, with the one dimension that it has."""
    stream = "payments" if METRICS[name].per_stream else ""
    metric = METRIC.metric(name, stream)
    assert (metric.namespace, metric.metric_name) == ("Tailrace/test", name)
    assert dict(metric.dimensions or {}) == ({"Stream": "payments"} if stream else {})
    assert metric.period.to_seconds() == Duration.minutes(1).to_seconds()


def test_what_nobody_shows_cannot_be_asked_for() -> None:
    """A graph or an alarm without data is found when the stack is made, and not on the night when it is needed."""
    with pytest.raises(KeyError):
        METRIC.metric("Delay", "payments")
    with pytest.raises(KeyError):
        METRIC.of_every_stream("Delay")


@pytest.mark.parametrize(("name", "stream"), [("Lag", ""), ("StandingBy", "payments")])
def test_a_dimension_too_many_or_too_few_is_refused(name: str, stream: str) -> None:
    """Such a metric would never have a value."""
    with pytest.raises(ValueError, match="is a metric of"):
        METRIC.metric(name, stream)


def test_all_streams_are_searched_for_as_cloudwatch_reads_it() -> None:
    """The namespace is quoted: an environment's name may have a hyphen."""
    search = Metrics("Tailrace/my-own").of_every_stream("Lag").to_metric_config().search_expression
    assert search is not None
    assert search.expression == """SEARCH('{"Tailrace/my-own",Stream} MetricName="Lag"', 'Maximum', 60)"""


def test_the_page_of_all_metrics_is_up_to_date() -> None:
    """``make docs`` writes it; every figure of either side has its row."""
    assert PAGE.read_text() == page()
    assert set(re.findall(r"^\| `(\w+)` \|", page(), re.MULTILINE)) == TAILER.keys() | FORWARDER.keys()
