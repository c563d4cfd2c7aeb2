"""The forwarder's figures as lines for CloudWatch, valid as the specification has it."""

import pytest

from lambda_forwarder.metrics.emf import line, shown
from lambda_forwarder.metrics.metrics import Metrics
from tailrace.metrics import FORWARDER
from tests.emf import Line, lines
from tests.lambda_forwarder.values import noteds


def test_a_line_says_every_metric_in_its_unit() -> None:
    """With the stream as its one dimension."""
    said = Line(line("Tailrace/trial", "payments", dict.fromkeys(FORWARDER, (1,))))
    assert (said.namespace, said.dimensions) == ("Tailrace/trial", {"Stream": "payments"})
    assert said.units == {name: str(metric.unit) for name, metric in FORWARDER.items()}
    assert said.root["action"] == "figures"


def test_a_service_name_in_the_environment_adds_no_dimension(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else no dashboard would find the metric."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "payments")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Elsewhere")
    said = Line(line("Tailrace/trial", "payments", {"ChangesParked": (1,)}))
    assert (said.namespace, said.dimensions) == ("Tailrace/trial", {"Stream": "payments"})


def test_each_stream_has_a_line_of_what_happened(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said of what did not."""
    metrics = Metrics("Tailrace/trial")
    with shown(metrics):
        metrics.published("payments", noteds("a", "b"))
        metrics.dropped("orders", 1)
        metrics.dropped("quiet", 0)
    said = {one.dimensions["Stream"]: one.metrics for one in lines(capsys.readouterr().out)}
    assert said == {"payments": {"EventsPublished": [2]}, "orders": {"DuplicatesDropped": [1]}}


def test_an_invocation_that_fails_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    """Its error goes on to Lambda."""
    metrics = Metrics("Tailrace/trial")

    def fail() -> None:
        with shown(metrics):
            metrics.failed("payments", 100)
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail()
    assert [one["MessagesFailed"] for one in lines(capsys.readouterr().out)] == [100]


def test_metrics_that_cannot_be_shown_fail_nothing(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was published stays published: its messages must not come again for the sake of a metric."""

    def refused(*_: object) -> str:
        raise RuntimeError("no such unit")

    monkeypatch.setattr("lambda_forwarder.metrics.emf.line", refused)
    metrics = Metrics("Tailrace/trial")
    with shown(metrics):
        metrics.failed("payments")
    [line] = caplog.records
    assert (line.__dict__["action"], bool(line.exc_info)) == ("figures_not_shown", True)


def test_without_a_namespace_nothing_is_written_or_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """Memory does not grow with what nobody asks for."""
    metrics = Metrics()
    with shown(metrics):
        metrics.failed("payments")
    assert capsys.readouterr().out == ""
    assert metrics.take() == {}
