"""The alarms of the template, evaluated on the metrics of real tailers: which ring and which do not."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from devstack import DevStack
from devstack.stack import whole_database
from tests.emf import Line, lines
from tests.tailer.tasks import Start, tasks
from tests.tailer.test_emf_of_a_task import TOO_LARGE
from tests.tailrace_cdk.monitoring.test_alarms import alarms
from tests.tailrace_cdk.template import stack as template

OURS = ("lag", "headroom", "no-owner", "stream-stopped", "no-standby", "stubs")
STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {"Maximum": max, "Minimum": min, "Sum": sum}
WORSE = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


def ringing(stream: str, said: Sequence[Line]) -> set[str]:
    """Return the pages of this stream's alarms for which these lines make a bad period."""
    found = alarms(template(streams=[{"name": stream, "database": stream}]))
    judged = {name: alarm for name, alarm in found.items() if name.partition(".")[0] in OURS}
    assert len(judged) == len(OURS)
    return {name.partition(".")[0] for name, alarm in judged.items() if _bad(alarm, said)}


def _bad(alarm: Mapping[str, Any], said: Sequence[Line]) -> bool:
    """Evaluate one period as CloudWatch does: by the metrics' statistics, or by the treatment of missing data."""
    if "Metrics" in alarm:
        [expression] = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
        parts = {one["Id"]: one["MetricStat"] for one in alarm["Metrics"] if "MetricStat" in one}
        values = {name: _value({**part["Metric"], "Statistic": part["Stat"]}, said) for name, part in parts.items()}
        value = None if None in values.values() else eval(expression, {}, values)
    else:
        value = _value(alarm, said)
    if value is None:
        return bool(alarm["TreatMissingData"] == "breaching")
    return bool(WORSE[alarm["ComparisonOperator"]](value, alarm["Threshold"]))


def _value(metric: Mapping[str, Any], said: Sequence[Line]) -> float | None:
    """Ignore namespaces: here they distinguish the tasks."""
    dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())}
    lines_of_it = [line for line in said if line.dimensions == dimensions]
    values = [value for line in lines_of_it for value in line.metrics.get(metric["MetricName"], ())]
    return STATISTICS[metric["Statistic"]](values) if values else None


@pytest.fixture
def start(
    stack: DevStack, queue_url: str, fresh: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Start]:
    with tasks(stack, queue_url, fresh, monkeypatch, capsys) as start:
        yield start


def test_no_alarm_rings_for_a_stream_with_owner_and_standby(stack: DevStack, fresh: str, start: Start) -> None:
    """Without the standby only its alarm rings."""
    owner = start("Tailrace/owner")
    owner.wait(fresh, lambda line: line["LeaseOwner"] == 1)
    stack.mongo[fresh].payments.insert_many([{"_id": number} for number in range(10)])
    known = owner.wait(fresh, lambda line: max(line.metrics.get("Headroom", [0])) > 0)
    assert ringing(fresh, [known, owner.lines("")[-1]]) == {"no-standby"}
    standby = start("Tailrace/spare")
    ready = standby.wait("", lambda line: line["StandingBy"] == 1)
    assert ringing(fresh, [known, owner.lines("")[-1], standby.lines(fresh)[-1], ready]) == set()
    standby.stop()
    owner.stop()


def test_stopped_stream_rings(stack: DevStack, queue_url: str, fresh: str) -> None:
    """By the last line of an ended process, with the alarms for a missing owner and standby."""
    given = {"queue_url": queue_url, "emf_namespace": "Tailrace/trial", "claim_bucket": "", "on_poison": "stop"}
    tailer = stack.start_tailer(**whole_database(fresh), **given)
    tailer.wait_ready()
    stack.mongo[fresh].payments.insert_one({"_id": 1, "scan": os.urandom(TOO_LARGE)})
    assert tailer.process._process.wait(60) == 4
    text = tailer.log.read_text()
    assert ringing(fresh, [lines(text, fresh)[-1], lines(text, "")[-1]]) == {"stream-stopped", "no-owner", "no-standby"}


def test_stub_rings(stack: DevStack, fresh: str, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its stream continues and is not reported as stopped."""
    monkeypatch.setenv("TAILER_CLAIM_BUCKET", "")
    owner = start("Tailrace/owner")
    owner.wait(fresh, lambda line: line["LeaseOwner"] == 1)
    stack.mongo[fresh].payments.insert_one({"_id": 1, "scan": os.urandom(TOO_LARGE)})
    stubbed = owner.wait(fresh, lambda line: line["ChangesStubbed"] == 1)
    rings = ringing(fresh, [stubbed])
    assert "stubs" in rings
    assert "stream-stopped" not in rings
    owner.stop()


def test_missing_metrics_ring(fresh: str) -> None:
    """As no owner and no standby, and nothing else."""
    assert ringing(fresh, []) == {"no-owner", "no-standby"}


@pytest.mark.parametrize(
    ("metrics", "page"),
    [({"Lag": 301}, "lag"), ({"Headroom": 1000, "History": 5001}, "headroom"), ({"LeaseOwner": 0}, "no-owner")],
    ids=["lag", "headroom", "no-owner"],
)
def test_alarm_rings_just_beyond_its_limit(metrics: Mapping[str, float], page: str) -> None:
    """By default five minutes of lag, or a fifth of the history left."""
    well = {"Lag": 300, "Headroom": 1000, "History": 5000, "LeaseOwner": 1, "Stopped": 0}
    standby = _line({"StandingBy": 1})
    assert ringing("payments", [_line(well, "payments"), standby]) == set()
    assert ringing("payments", [_line({**well, **metrics}, "payments"), standby]) == {page}


def _line(metrics: Mapping[str, float], stream: str = "") -> Line:
    """Build one line as a tailer writes it."""
    line = Line.__new__(Line)
    line.dimensions = {"Stream": stream} if stream else {}
    line.metrics = {name: [value] for name, value in metrics.items()}
    return line
