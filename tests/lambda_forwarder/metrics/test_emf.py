"""The forwarder's metrics as valid EMF lines for CloudWatch."""

import pytest
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from lambda_forwarder.metrics.emf import shown
from lambda_forwarder.metrics.metrics import Metrics
from tailrace.aws.emf import emf_line
from tailrace.metrics import FORWARDER
from tests.emf import Line, lines
from tests.lambda_forwarder.values import noted_entries


def provider() -> AmazonCloudWatchEMFProvider:
    return AmazonCloudWatchEMFProvider(namespace="Tailrace/trial", service="")


def test_line_has_every_metric_with_its_unit() -> None:
    """With the stream as its only dimension."""
    said = Line(emf_line(provider(), FORWARDER, dict.fromkeys(FORWARDER, (1,)), stream="payments"))
    assert (said.namespace, said.dimensions) == ("Tailrace/trial", {"Stream": "payments"})
    assert said.units == {name: str(metric.unit) for name, metric in FORWARDER.items()}
    assert said.root["action"] == "figures"


def test_powertools_variables_in_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another dimension would hide the metric from every dashboard."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "payments")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Elsewhere")
    said = Line(emf_line(provider(), FORWARDER, {"ChangesParked": (1,)}, stream="payments"))
    assert (said.namespace, said.dimensions) == ("Tailrace/trial", {"Stream": "payments"})


def test_each_stream_has_a_line_with_its_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Zero counts are omitted."""
    metrics = Metrics("Tailrace/trial")
    with shown(metrics):
        metrics.published("payments", noted_entries("a", "b"))
        metrics.count("orders", "DuplicatesDropped", 1)
        metrics.count("quiet", "DuplicatesDropped", 0)
    said = {one.dimensions["Stream"]: one.metrics for one in lines(capsys.readouterr().out)}
    assert said == {"payments": {"EventsPublished": [2]}, "orders": {"DuplicatesDropped": [1]}}


def test_failed_invocation_writes_its_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    """The error is raised to Lambda."""
    metrics = Metrics("Tailrace/trial")

    def fail() -> None:
        with shown(metrics):
            metrics.count("payments", "MessagesFailed", 100)
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail()
    assert [one["MessagesFailed"] for one in lines(capsys.readouterr().out)] == [100]


def test_failing_metrics_fail_no_message(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Published events must not be repeated because of a metric."""

    def refused(*_: object, **__: object) -> str:
        raise RuntimeError("no such unit")

    monkeypatch.setattr("lambda_forwarder.metrics.emf.emf_line", refused)
    metrics = Metrics("Tailrace/trial")
    with shown(metrics):
        metrics.count("payments", "MessagesFailed", 1)
    [line] = caplog.records
    assert (line.__dict__["action"], bool(line.exc_info)) == ("figures_not_shown", True)


def test_nothing_is_counted_without_a_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics()
    with shown(metrics):
        metrics.count("payments", "MessagesFailed", 1)
    assert capsys.readouterr().out == ""
    assert metrics.take() == {}
