"""Every reader of a stream's lag uses the same definition."""

import re
from datetime import UTC, datetime, timedelta
from math import isnan, nan
from typing import Any

import pytest
from msgspec.structs import replace

from devstack import DevStack
from tailer.health.health import Health
from tailer.health.lag import seconds_behind, stored_seconds_behind
from tailer.metrics.prometheus import Metrics
from tailer.model import After, At, Batch, Checkpoint, Record
from tailer.stores.dynamodb import DynamodbCheckpoints
from tailrace.dev.loopback import get, wait_until
from tailrace.dev.tailer import TailerProcess
from tests.samples.changes import a_checkpoint

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
AGO_7 = int(NOW.timestamp()) - 7


def documentdb_token(kind: str, reached: datetime, increment: int = 0) -> str:
    return f"01{int(reached.timestamp()):08x}{increment:08x}{kind}"


@pytest.mark.parametrize(
    ("checkpoint", "reading", "expected"),
    [
        (a_checkpoint(NOW), True, 0),
        (a_checkpoint(NOW - timedelta(seconds=10)), True, 10),
        (a_checkpoint(NOW + timedelta(hours=1)), True, 0),
        (Checkpoint(position=At(f"{AGO_7}.1")), True, 7),
        (Checkpoint(position=After("4711", f"{AGO_7}.1")), True, 7),
        (Checkpoint(position=After(documentdb_token("04", NOW - timedelta(seconds=5)))), True, 5),
        (Checkpoint(position=After(documentdb_token("01", NOW - timedelta(seconds=5), 3), f"{AGO_7}.1")), True, 5),
        (Checkpoint(position=After("4711")), True, nan),
        (None, True, nan),
        (a_checkpoint(NOW - timedelta(seconds=5), unconfirmed=True), True, nan),
        (a_checkpoint(NOW - timedelta(seconds=5), unconfirmed=True), False, 5),
    ],
)
def test_status_and_metric_report_the_same_lag(checkpoint: Checkpoint | None, reading: bool, expected: float) -> None:
    """It is the age of the token, else of the last event, else unknown."""
    health = Health(clock=lambda: 0.0, now=lambda: NOW)
    health.lease_acquired(Metrics("payments"), checkpoint)
    if reading and checkpoint:
        health.delivered(Batch(changes=(), checkpoint=checkpoint))
    record = Record(
        stream="payments",
        owner="one" if reading else "",
        lease_seconds=15,
        checkpoint=checkpoint,
        saved_at=NOW.isoformat(timespec="milliseconds"),
    )
    definition = seconds_behind(checkpoint, seen=NOW, now=NOW, reading=reading)
    said: list[Any] = [definition, health.lag(), stored_seconds_behind(record, NOW)]
    assert said == [expected] * 3 or all(map(isnan, [*said, expected]))


def test_lag_of_a_dead_owner_grows() -> None:
    """Its unconfirmed position no longer hides the lag."""
    checkpoint = a_checkpoint(NOW - timedelta(seconds=500), unconfirmed=True)
    record = Record(
        stream="payments", owner="gone", lease_seconds=15, checkpoint=checkpoint, saved_at="2026-11-22T07:58:00.000+00:00"
    )
    assert stored_seconds_behind(record, NOW) == 500
    assert isnan(stored_seconds_behind(replace(record, saved_at="2026-11-22T07:59:55.000+00:00"), NOW))


def test_endpoint_metric_and_record_agree_on_a_real_stream(stack: DevStack, queue_url: str, fresh: str) -> None:
    """On an idle stream, except for the time between the reads."""
    tailer = TailerProcess(stack.workspace, stack.environment_of(fresh, queue_url=queue_url, lease_seconds=1), fresh)
    tailer.wait_ready()
    store = DynamodbCheckpoints(stack.aws("dynamodb"), stack.resources.table)

    def said() -> tuple[float, ...]:
        record, now = store.read(fresh), datetime.now(UTC)
        words = re.search(r"tailing, ([0-9.]+) s behind", get(tailer.port, "/readyz")[1])
        metric = re.search(rf'tailrace_lag_seconds{{stream="{fresh}"}} ([0-9.]+)', tailer.metrics())
        assert words
        assert metric
        return float(words[1]), float(metric[1]), stored_seconds_behind(record, now) if record else nan

    def alike() -> bool:
        metrics = said()
        return not any(map(isnan, metrics)) and max(metrics) - min(metrics) < 1

    wait_until(alike, tailer.process, 20)
    assert max(said()) < 60
    assert tailer.stop() == 0
