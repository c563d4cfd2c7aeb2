"""The metrics of real tailers, on which alarms depend, are correct."""

import os
from collections.abc import Iterator

import pytest

from devstack import DevStack
from devstack.stack import whole_database
from tailrace.dev.tailer import TailerProcess
from tests.emf import lines
from tests.queue import received
from tests.tailer.tasks import Start, tasks

TOO_LARGE = 2_000_000  # bytes, too large for any message


@pytest.fixture
def start(
    stack: DevStack, queue_url: str, fresh: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Start]:
    """Start a task on the stream ``fresh`` with metrics in this namespace."""
    with tasks(stack, queue_url, fresh, monkeypatch, capsys) as start:
        yield start


def start_process(stack: DevStack, queue_url: str, fresh: str, **more: str) -> TailerProcess:
    """Start a tailer as in production, with metrics."""
    given = {**whole_database(fresh), "queue_url": queue_url, "emf_namespace": "Tailrace/trial", **more}
    return stack.start_tailer(**given)


def test_owner_and_standby_report_their_state(stack: DevStack, queue_url: str, fresh: str, start: Start) -> None:
    """The owner has sent every change and does not lag; the standby takes over."""
    owner = start("Tailrace/one")
    owner.wait(fresh, lambda line: line["LeaseOwner"] == 1)
    standby = start("Tailrace/two")
    assert standby.wait("", lambda line: line["StandingBy"] == 1)
    stack.mongo[fresh].payments.insert_many([{"_id": number} for number in range(50)])
    assert owner.wait(fresh, lambda line: line["ChangesSent"] > 0)
    latest = owner.wait(fresh, lambda line: "Lag" in line.metrics and max(line.metrics.get("Headroom", [0])) > 0)
    assert 0 <= latest["Lag"] <= latest["History"]
    assert latest["Headroom"] <= latest["History"]
    assert latest["CheckpointAge"] >= 0
    assert (latest["LeaseOwner"], latest["Stopped"]) == (1, 0)
    assert owner.lines("")[-1]["StandingBy"] == 0
    assert {line["LeaseOwner"] for line in standby.lines(fresh)} == {0}
    assert "Headroom" not in standby.lines(fresh)[-1].metrics
    owner.stop()
    standby.wait(fresh, lambda line: line["LeaseOwner"] == 1)
    standby.stop()
    said = {name: sum(line[name] for line in owner.lines(fresh)) for name in ("ChangesRead", "ChangesSent", "Retries", "Gaps")}
    assert said == {"ChangesRead": 50, "ChangesSent": 50, "Retries": 0, "Gaps": 0}
    assert len(received(stack, queue_url)) == 50
    assert [value for line in owner.lines(fresh) for value in line.metrics.get("CommitToQueue", ())]
    assert owner.lines(fresh)[-1]["LeaseOwner"] == 0


def test_stopped_task_reports_its_last_counts(stack: DevStack, queue_url: str, fresh: str) -> None:
    """SIGTERM comes less than a minute after the start."""
    tailer = start_process(stack, queue_url, fresh)
    tailer.wait_ready()
    stack.mongo[fresh].payments.insert_many([{"_id": number} for number in range(20)])
    while f'tailrace_changes_sent_total{{stream="{fresh}"}} 20.0' not in tailer.metrics():
        assert tailer.running
    assert tailer.stop() == 0
    said = lines(tailer.log.read_text(), fresh)
    assert sum(line["ChangesSent"] for line in said) == 20
    assert (said[-1]["LeaseOwner"], said[-1]["Stopped"]) == (0, 0)
    assert {line.namespace for line in said} == {"Tailrace/trial"}


def test_stopped_stream_is_reported_before_the_process_ends(stack: DevStack, queue_url: str, fresh: str) -> None:
    """So that its alarm fires."""
    tailer = start_process(stack, queue_url, fresh, claim_bucket="", on_poison="stop")
    tailer.wait_ready()
    stack.mongo[fresh].payments.insert_one({"_id": 1, "scan": os.urandom(TOO_LARGE)})
    assert tailer.process._process.wait(60) == 4
    last = lines(tailer.log.read_text(), fresh)[-1]
    assert (last["Stopped"], last["LeaseOwner"], last["ChangesSent"]) == (1, 0, 0)
    assert lines(tailer.log.read_text(), "")[-1]["StandingBy"] == 0


def test_no_metric_is_written_without_a_namespace(stack: DevStack, queue_url: str, fresh: str) -> None:
    tailer = start_process(stack, queue_url, fresh, emf_namespace="")
    tailer.wait_ready()
    assert tailer.stop() == 0
    assert lines(tailer.log.read_text()) == []
