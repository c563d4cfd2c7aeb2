"""The alarms of the template, judged on the lines of real tailers: which of them ring, and which do not."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from devstack import DevStack
from tests.emf import Line, lines
from tests.tailer.tasks import Start, settings, tasks
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
    """The pages of the alarms on this stream that call a period bad in which these lines were written."""
    found = alarms(template(streams=[{"name": stream, "database": stream}]))
    judged = {name: alarm for name, alarm in found.items() if name.partition(".")[0] in OURS}
    assert len(judged) == len(OURS)
    return {name.partition(".")[0] for name, alarm in judged.items() if _bad(alarm, said)}


def _bad(alarm: Mapping[str, Any], said: Sequence[Line]) -> bool:
    """As CloudWatch judges one period: by the metrics' statistics, or by what is to be thought of missing ones."""
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
    """Namespaces are not compared: here they tell the tasks apart."""
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


def test_a_stream_with_owner_and_standby_is_well(stack: DevStack, fresh: str, start: Start) -> None:
    """No alarm rings while one task tails and another stands by; without the other, just that one is missed."""
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


def test_a_stream_that_was_given_up_rings(stack: DevStack, queue_url: str, fresh: str) -> None:
    """By the last line of a process that has ended; a person is called, and learns that nobody tails it and nobody waits."""
    given = {name.removeprefix("TAILER_").lower(): value for name, value in settings(queue_url, fresh).items()}
    tailer = stack.start_tailer(**given, emf_namespace="Tailrace/trial", claim_bucket="", on_poison="stop")
    tailer.wait_ready()
    stack.mongo[fresh].payments.insert_one({"_id": 1, "scan": os.urandom(TOO_LARGE)})
    assert tailer.process._process.wait(60) == 4
    text = tailer.log.read_text()
    assert ringing(fresh, [lines(text, fresh)[-1], lines(text, "")[-1]]) == {"stream-stopped", "no-owner", "no-standby"}


def test_a_stub_rings(stack: DevStack, fresh: str, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that cannot be delivered calls a person, and its stream goes on: it is not given up."""
    monkeypatch.setenv("TAILER_CLAIM_BUCKET", "")
    owner = start("Tailrace/owner")
    owner.wait(fresh, lambda line: line["LeaseOwner"] == 1)
    stack.mongo[fresh].payments.insert_one({"_id": 1, "scan": os.urandom(TOO_LARGE)})
    stubbed = owner.wait(fresh, lambda line: line["ChangesStubbed"] == 1)
    rings = ringing(fresh, [stubbed])
    assert "stubs" in rings
    assert "stream-stopped" not in rings
    owner.stop()


def test_silence_rings(fresh: str) -> None:
    """No lines at all: nobody is there, and nobody stands by. What is not known to be bad is not said to be."""
    assert ringing(fresh, []) == {"no-owner", "no-standby"}


@pytest.mark.parametrize(
    ("metrics", "page"),
    [({"Lag": 301}, "lag"), ({"Headroom": 1000, "History": 5001}, "headroom"), ({"LeaseOwner": 0}, "no-owner")],
    ids=["lag", "headroom", "no-owner"],
)
def test_just_beyond_a_limit_rings_and_just_within_does_not(metrics: Mapping[str, float], page: str) -> None:
    """The limits of an environment that says nothing: five minutes behind, a fifth of the history."""
    well = {"Lag": 300, "Headroom": 1000, "History": 5000, "LeaseOwner": 1, "Stopped": 0}
    standby = _line({"StandingBy": 1})
    assert ringing("payments", [_line(well, "payments"), standby]) == set()
    assert ringing("payments", [_line({**well, **metrics}, "payments"), standby]) == {page}


def _line(metrics: Mapping[str, float], stream: str = "") -> Line:
    """One line as a tailer writes it."""
    line = Line.__new__(Line)
    line.dimensions = {"Stream": stream} if stream else {}
    line.metrics = {name: [value] for name, value in metrics.items()}
    return line
