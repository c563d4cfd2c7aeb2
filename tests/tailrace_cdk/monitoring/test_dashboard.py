"""The dashboard has a row for each question and only existing metrics."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tailrace.metrics import FORWARDER, STREAM, TAILER
from tests.tailrace_cdk.monitoring.test_alarms import EVERYTHING, MESSAGING, alarms
from tests.tailrace_cdk.template import only, stack

SEARCH = re.compile(r"""SEARCH\('\{"([^"]+)",(\w+)\} MetricName="(\w+)"', '(\w+)', 60\)""")
WIDTH = 24


def body(template: Template) -> Any:
    """Return the dashboard's JSON, with names instead of values that only a deployment has."""
    parts = only(template, "AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else _name(part) for part in parts))


def _name(part: Mapping[str, Any]) -> str:
    return str(part["Ref"] if "Ref" in part else part["Fn::GetAtt"][0])


def widgets(template: Template, kind: str) -> list[Any]:
    return [widget for widget in body(template)["widgets"] if widget["type"] == kind]


def ours(template: Template) -> Iterator[tuple[str, str, str]]:
    """Yield namespace, metric and dimension of every line of our metrics."""
    for widget in widgets(template, "metric"):
        for namespace_or_search, *rest in widget["properties"]["metrics"]:
            if isinstance(namespace_or_search, dict):
                found = SEARCH.fullmatch(namespace_or_search["expression"])
                assert found, namespace_or_search
                yield found[1], found[3], found[2]
            elif namespace_or_search.startswith("Tailrace"):
                yield namespace_or_search, rest[0], rest[1] if isinstance(rest[1], str) else ""


@pytest.fixture(scope="module")
def everything() -> Template:
    return stack(**EVERYTHING)


def test_every_metric_is_on_the_dashboard(everything: Template) -> None:
    assert {name for _, name, _ in ours(everything)} == TAILER.keys() | FORWARDER.keys()


def test_dashboard_has_only_existing_metrics(everything: Template) -> None:
    """Each line is a metric of this environment with the dimension that it has."""
    metrics = TAILER | FORWARDER
    for namespace, name, dimension in ours(everything):
        assert namespace == "Tailrace/test"
        assert dimension == (STREAM if metrics[name].per_stream else "")


def test_alarms_are_at_the_top(everything: Template) -> None:
    [status] = widgets(everything, "alarm")
    assert status["y"] == 0
    assert len(status["properties"]["alarms"]) == len(alarms(everything))


def test_each_row_is_a_question(everything: Template) -> None:
    """From the database to the bus, and no wider than the page."""
    questions = [widget["properties"]["markdown"].removeprefix("## ") for widget in widgets(everything, "text")]
    assert questions == [
        "Is every stream up to date, and how much headroom is left?",
        "Who tails the streams?",
        "How many changes are there?",
        "What does the tailer wait for?",
        "Does the queue run empty?",
        "Does the forwarder keep up?",
        "What could not be published?",
    ]
    assert all(widget["x"] + widget["width"] <= WIDTH for widget in body(everything)["widgets"])


def test_alarm_limit_is_a_line_in_the_lag_graph(everything: Template) -> None:
    [lag] = [widget for widget in widgets(everything, "metric") if widget["properties"]["title"] == "Lag"]
    assert lag["properties"]["annotations"]["horizontal"][0]["value"] == 120


def test_every_function_is_on_the_dashboard(everything: Template) -> None:
    """The forwarder's, redrive's, and that of each DynamoDB stream."""
    [graph] = [one for one in widgets(everything, "metric") if one["properties"]["title"].startswith("Invocations")]
    labels = {line[-1]["label"] for line in graph["properties"]["metrics"]}
    assert labels == {
        f"{one} {what}" for one in ("forwarder", "redrive", "stream-carts") for what in ("invocations", "errors", "throttles")
    }


def test_dashboard_without_a_tailer_starts_at_the_queue() -> None:
    """No graph is always empty."""
    template = stack(**MESSAGING)
    assert {name for _, name, _ in ours(template)} == set(FORWARDER)
