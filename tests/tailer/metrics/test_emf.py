"""The figures as lines for CloudWatch: valid as the specification has it, and true."""

import json
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


class Log(list[str]):
    """Where the lines go."""

    def of(self, stream: str) -> list[Line]:
        return lines("\n".join(self), stream)


@pytest.fixture
def families() -> Families:
    return Families()


@pytest.fixture
def metrics(families: Families) -> Metrics:
    return Metrics("payments", families)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def written(families: Families, log: Log) -> Callable[[], Line]:
    """Writes, and gives the line of payments."""
    emf_of_families = EmfLines("Tailrace/trial", families, now=lambda: NOW, write=log.append)

    def line() -> Line:
        emf_of_families.write()
        return log.of("payments")[-1]

    return line


def test_a_line_says_every_metric_that_is_known_in_its_unit(metrics: Metrics, written: Callable[[], Line]) -> None:
    """And no other: what an alarm asks for by name, unit and stream is there."""
    for gauge in (metrics.lag, metrics.headroom, metrics.history, metrics.checkpoint_age):
        gauge.set(5)
    metrics.commit_to_queue.observe(0.125)
    line = written()
    assert (line.namespace, line.dimensions) == ("Tailrace/trial", {"Stream": "payments"})
    assert line.units == {name: str(metric.unit) for name, metric in TAILER.items() if metric.per_stream}
    assert line.root["_aws"]["Timestamp"] == NOW.timestamp() * 1000


def test_a_counter_says_what_was_added_since_the_line_before(metrics: Metrics, written: Callable[[], Line]) -> None:
    """So that CloudWatch's sum over any time is right, however often a task starts."""
    metrics.sent.inc(5)
    said = [written()["ChangesSent"]]
    metrics.sent.inc(2)
    said += [written()["ChangesSent"], written()["ChangesSent"]]
    assert said == [5, 2, 0]


def test_a_gauge_says_how_it_is(metrics: Metrics, written: Callable[[], Line]) -> None:
    """Twice the same is said twice."""
    metrics.lag.set_function(lambda: 12.3456)
    metrics.owner.set(1)
    assert [(line["Lag"], line["LeaseOwner"]) for line in (written(), written())] == [(12.346, 1), (12.346, 1)]


def test_what_nobody_knows_is_left_out(metrics: Metrics, written: Callable[[], Line]) -> None:
    """NaN is not JSON, and zero would be a lie."""
    metrics.headroom.set(nan)
    assert {"Lag", "Headroom", "History", "CheckpointAge", "CommitToQueue"}.isdisjoint(written().metrics)


def test_a_latency_says_each_batch_in_milliseconds_once(metrics: Metrics, written: Callable[[], Line]) -> None:
    """As many values, so that CloudWatch can tell percentiles."""
    for seconds in (0.01, 0.02, 1.5):
        metrics.commit_to_queue.observe(seconds)
    assert written().metrics["CommitToQueue"] == [10, 20, 1500]
    assert "CommitToQueue" not in written().metrics


def test_a_line_never_has_more_values_than_cloudwatch_takes(metrics: Metrics, written: Callable[[], Line], log: Log) -> None:
    """Ten thousand batches in a minute are one line."""
    for number in range(10_000):
        metrics.commit_to_queue.observe(number)
    assert max(written().metrics["CommitToQueue"]) == 9_999_000
    assert len(log) == 2


def test_every_stream_has_its_line_and_the_task_one_without_a_stream(
    families: Families, metrics: Metrics, written: Callable[[], Line], log: Log
) -> None:
    """What belongs to no stream has no dimension."""
    Metrics("orders", families)
    families.standing_by.set(1)
    written()
    (task,) = log.of("")
    assert [line.dimensions for line in lines("\n".join(log))] == [{"Stream": "payments"}, {"Stream": "orders"}, {}]
    assert task.metrics == {"StandingBy": [1]}
    assert task.units == {"StandingBy": "None"}


def test_a_service_name_in_the_environment_adds_no_dimension(
    monkeypatch: pytest.MonkeyPatch, metrics: Metrics, written: Callable[[], Line]
) -> None:
    """Else every alarm would look for a metric that is not there."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "payments")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Elsewhere")
    line = written()
    assert (line.namespace, line.dimensions) == ("Tailrace/trial", {"Stream": "payments"})


def test_a_line_is_found_by_its_action(metrics: Metrics, written: Callable[[], Line]) -> None:
    """Like every other line of the log."""
    assert written().root["action"] == "figures"


@pytest.mark.usefixtures("metrics")
def test_lines_come_again_and_again_and_once_more_at_the_end(
    families: Families, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was counted since the last minute is not lost when a task stops."""
    monkeypatch.setattr(emf, "EVERY", 0.01)
    families.streams[0].sent.inc(1)
    seen = ""
    with emf_lines("Tailrace/trial", families, now=lambda: datetime.now(UTC)):
        while len(lines(seen, "payments")) < 3:
            seen += capsys.readouterr().out
        families.streams[0].sent.inc(7)
    seen += capsys.readouterr().out
    assert sum(line["ChangesSent"] for line in lines(seen, "payments")) == 8
    assert all(json.loads(line) for line in seen.splitlines())


@pytest.mark.usefixtures("metrics")
def test_without_a_namespace_there_are_none(families: Families, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is silent."""
    with emf_lines("", families, now=lambda: NOW):
        pass
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("metrics")
def test_a_reader_that_is_gone_stops_nothing(families: Families) -> None:
    """A task goes on without its figures, and an alarm says that they are missing."""

    def broken(_: str) -> None:
        raise BrokenPipeError

    EmfLines("Tailrace/trial", families, now=lambda: NOW, write=broken).write()
