"""Metrics as EMF lines for CloudWatch: valid by its specification, and correct."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import nan

import pytest

from tailer.metrics import emf
from tailer.metrics.emf import EmfLines, emf_lines
from tailer.metrics.prometheus import Families, Metrics
from tailrace.metrics import TAILER
from tests.emf import Line, lines

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class LineLog(list[str]):
    """Collects the written lines."""

    def of(self, stream: str) -> list[Line]:
        return lines("\n".join(self), stream)


@pytest.fixture
def families() -> Families:
    return Families()


@pytest.fixture
def metrics(families: Families) -> Metrics:
    return Metrics("payments", families)


@pytest.fixture
def log() -> LineLog:
    return LineLog()


@pytest.fixture
def write_line(families: Families, log: LineLog) -> Callable[[], Line]:
    """Return a function that writes the metrics and returns the line of the stream payments."""
    emf_of_families = EmfLines("Tailrace/trial", families, now=lambda: NOW, write=log.append)

    def line() -> Line:
        emf_of_families.write()
        return log.of("payments")[-1]

    return line


def test_line_has_every_known_metric_with_its_unit(metrics: Metrics, write_line: Callable[[], Line]) -> None:
    """And no others. Alarms refer to name, unit and stream."""
    for gauge in (metrics.lag, metrics.headroom, metrics.history, metrics.checkpoint_age):
        gauge.set(5)
    metrics.commit_to_queue.observe(0.125)
    line = write_line()
    assert (line.namespace, line.dimensions) == ("Tailrace/trial", {"Stream": "payments"})
    assert line.units == {name: str(metric.unit) for name, metric in TAILER.items() if metric.per_stream}
    assert line.root["_aws"]["Timestamp"] == NOW.timestamp() * 1000


def test_counter_is_the_increase_since_the_last_line(metrics: Metrics, write_line: Callable[[], Line]) -> None:
    """So CloudWatch's sum is right however often a task restarts."""
    metrics.sent.inc(5)
    said = [write_line()["ChangesSent"]]
    metrics.sent.inc(2)
    said += [write_line()["ChangesSent"], write_line()["ChangesSent"]]
    assert said == [5, 2, 0]


def test_gauge_is_repeated_on_every_line(metrics: Metrics, write_line: Callable[[], Line]) -> None:
    metrics.lag.set_function(lambda: 12.3456)
    metrics.owner.set(1)
    assert [(line["Lag"], line["LeaseOwner"]) for line in (write_line(), write_line())] == [(12.346, 1), (12.346, 1)]


def test_unknown_metric_is_omitted(metrics: Metrics, write_line: Callable[[], Line]) -> None:
    """NaN is not JSON, and zero would be wrong."""
    metrics.headroom.set(nan)
    assert {"Lag", "Headroom", "History", "CheckpointAge", "CommitToQueue"}.isdisjoint(write_line().metrics)


def test_latency_lists_each_batch_once_in_milliseconds(metrics: Metrics, write_line: Callable[[], Line]) -> None:
    """CloudWatch needs the single values for percentiles."""
    for seconds in (0.01, 0.02, 1.5):
        metrics.commit_to_queue.observe(seconds)
    assert write_line().metrics["CommitToQueue"] == [1500, 20, 10]
    assert "CommitToQueue" not in write_line().metrics


def test_line_has_at_most_as_many_values_as_cloudwatch_accepts(
    metrics: Metrics, write_line: Callable[[], Line], log: LineLog
) -> None:
    """Ten thousand batches in a minute are one line."""
    for number in range(10_000):
        metrics.commit_to_queue.observe(number)
    assert max(write_line().metrics["CommitToQueue"]) == 9_999_000
    assert len(log) == 2


def test_every_stream_has_a_line_and_the_task_has_one(
    families: Families, metrics: Metrics, write_line: Callable[[], Line], log: LineLog
) -> None:
    """Metrics of the task have no dimension."""
    Metrics("orders", families)
    families.standing_by.set(1)
    write_line()
    (task,) = log.of("")
    assert [line.dimensions for line in lines("\n".join(log))] == [{"Stream": "payments"}, {"Stream": "orders"}, {}]
    assert task.metrics == {"StandingBy": [1]}
    assert task.units == {"StandingBy": "None"}


def test_powertools_variables_in_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, metrics: Metrics, write_line: Callable[[], Line]
) -> None:
    """Another dimension would hide the metric from every alarm."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "payments")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Elsewhere")
    line = write_line()
    assert (line.namespace, line.dimensions) == ("Tailrace/trial", {"Stream": "payments"})


def test_line_has_an_action(metrics: Metrics, write_line: Callable[[], Line]) -> None:
    """Like every other log line."""
    assert write_line().root["action"] == "figures"


@pytest.mark.usefixtures("metrics")
def test_lines_are_written_periodically_and_at_the_end(
    families: Families, monkeypatch: pytest.MonkeyPatch, log: LineLog
) -> None:
    """Counts since the last line are not lost when a task stops."""
    monkeypatch.setattr(emf, "EVERY", 0.01)
    monkeypatch.setattr(emf, "_print", log.append)
    families.streams[0].sent.inc(1)
    with emf_lines("Tailrace/trial", families, now=lambda: datetime.now(UTC)):
        while len(log.of("payments")) < 3:
            time.sleep(0.001)
        families.streams[0].sent.inc(7)
    assert sum(line["ChangesSent"] for line in log.of("payments")) == 8
    assert all(json.loads(line) for line in log)


@pytest.mark.usefixtures("metrics")
def test_no_line_is_written_without_a_namespace(families: Families, capsys: pytest.CaptureFixture[str]) -> None:
    with emf_lines("", families, now=lambda: NOW):
        pass
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("metrics")
def test_broken_output_does_not_stop_the_task(families: Families) -> None:
    """An alarm reports the missing metrics."""

    def broken(_: str) -> None:
        raise BrokenPipeError

    EmfLines("Tailrace/trial", families, now=lambda: NOW, write=broken).write()
