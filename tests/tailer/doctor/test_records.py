"""What the doctor finds where the checkpoints are, and of who holds the lease."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from devstack import DevStack
from tailer.checkpoints.checks import StoredRecord
from tailer.checks import State
from tailer.crashes import Crashes
from tailer.errors import Misconfigured, Unavailable
from tailer.model import Checkpoint, Record
from tailer.parts import Parts
from tailer.ports import Conflict
from tailer.position import After, At
from tailer.settings.settings import Settings
from tailer.stores.fencing import PROBE, compares_and_replaces
from tailer.stores.memory import MemoryCheckpoints
from tests.conformance.checkpoint_store import Clock
from tests.tailer.doctor.conftest import Doctor
from tests.tailer.doctor.records import record_of
from tests.tailer.parts import parts_with

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
REACHED = Checkpoint(sequence=4711, position=After("82ü", "1795332226.1"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> MemoryCheckpoints:
    return MemoryCheckpoints()


@pytest.fixture
def parts(stored: Settings, store: MemoryCheckpoints) -> Parts:
    return parts_with(stored, store=store)


@pytest.fixture
def records(parts: Parts, clock: Clock) -> StoredRecord:
    """A doctor whose waiting is what moves the clock."""

    def sleep(seconds: float) -> None:
        clock.now += seconds

    return record_of(parts, now=lambda: NOW, clock=clock, sleep=sleep)


@pytest.fixture
def owned(stored: Settings, store: MemoryCheckpoints) -> Record:
    record = Record(
        stream=stored.stream, version=1, owner="host/7", fence=3, identity=stored.identity, lease_seconds=15, checkpoint=REACHED
    )
    store.write(record)
    return record


@pytest.mark.parametrize("kind", ["dynamodb", "mongodb", "file"])
def test_a_store_is_written_and_shown_to_be_fenced(stack: DevStack, stored: Settings, tmp_path: Any, kind: str) -> None:
    """Every kind of store, on real parts; once more does not matter, and no stream can be called like the probe."""
    url = {"dynamodb": f"dynamodb://{stack.resources.table}", "mongodb": "mongodb:", "file": f"file://{tmp_path}/c.json"}[kind]
    settings = Settings(**{**stored.model_dump(), "checkpoints": url})
    for _ in range(2):
        verdict = compares_and_replaces(Parts(settings).store)
        assert (verdict.state, verdict.found) == (State.OK, "written, and a stale write was refused")
    with pytest.raises(ValueError, match="stream"):
        Settings(**{**stored.model_dump(), "stream": PROBE})


def test_a_store_that_takes_a_stale_write_is_found_out(store: MemoryCheckpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one to write would win, whoever owns the stream: exit 4, nothing may run on it."""
    monkeypatch.setattr(store, "write", lambda record: store._records.update({record.stream: record}))
    verdict = compares_and_replaces(store)
    assert (verdict.state, verdict.exit_code) == (State.FAIL, 4)


def test_a_role_that_may_only_write_its_streams_is_told_apart(
    store: MemoryCheckpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB's LeadingKeys may name the streams and not the probe: that says nothing about the streams."""

    def denied(_: object) -> None:
        raise Misconfigured("TAILER_CHECKPOINTS: state: the task's role may not use it (AccessDeniedException: no)")

    monkeypatch.setattr(store, "write", denied)
    verdict = compares_and_replaces(store)
    assert verdict.state is State.WARN
    assert PROBE in verdict.remedy


def test_two_doctors_at_once_do_not_fail_each_other(store: MemoryCheckpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """One finds that the other wrote, and tries again; for ever it does not."""
    write, conflicts = store.write, iter([True, True, False])

    def sometimes(record: Record) -> None:
        if next(conflicts, False):
            raise Conflict
        write(record)

    monkeypatch.setattr(store, "write", sometimes)
    assert compares_and_replaces(store).state is State.OK
    conflicts = iter([True] * 9)
    with pytest.raises(Unavailable, match=PROBE):
        compares_and_replaces(store)


def test_nobody_is_fine_before_the_first_start_only(records: StoredRecord, store: MemoryCheckpoints, stored: Settings) -> None:
    """Afterwards a stream without an owner is falling behind."""
    records.read()
    assert records.lease().state is State.OK
    store.write(Record(stream=stored.stream, version=1, checkpoint=REACHED, saved_at="2026-11-22T08:00:00.000+00:00"))
    records.read()
    verdict = records.lease()
    assert verdict.state is State.WARN
    assert "since 2026-11-22T08:00:00.000+00:00" in verdict.found


def test_a_lease_that_is_renewed_is_alive(
    records: StoredRecord, owned: Record, store: MemoryCheckpoints, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """However short the doctor looks: what happened since it read the record counts."""
    records.read()
    clock.now += 60
    store.write(replace(owned, version=2))
    verdict = records.lease()
    assert verdict.state is State.OK
    assert "host/7 tails it, owner number 3" in verdict.found
    assert clock.now == 1060


def test_a_lease_that_stands_still_is_a_warning(records: StoredRecord, owned: Record, clock: Clock) -> None:
    """After one and a half times as long as a renewal takes, and no sooner."""
    records.read()
    verdict = records.lease()
    assert verdict.state is State.WARN
    assert 7.5 < clock.now - 1000 < 8.5
    assert "host/7 has not renewed its lease" in verdict.found
    assert "after 15 s" in verdict.remedy


@pytest.mark.parametrize(("ago", "words"), [(14, "a standby takes over after 15 s"), (3600, "start a task: tailer run")])
def test_a_lease_that_nobody_took_over_has_no_standby(
    records: StoredRecord, owned: Record, store: MemoryCheckpoints, ago: int, words: str
) -> None:
    """It is told since when it is not renewed, not for how long the doctor looked; after a whole lease no spare will come."""
    since = (NOW - timedelta(seconds=ago)).isoformat(timespec="milliseconds")
    store.write(replace(owned, version=2, saved_at=since))
    records.read()
    verdict = records.lease()
    assert verdict.state is State.WARN
    assert f"host/7 has not renewed its lease since {since}" in verdict.found
    assert words in verdict.remedy


def test_a_long_lease_is_not_waited_for(records: StoredRecord, owned: Record, store: MemoryCheckpoints, clock: Clock) -> None:
    """The doctor has less than a minute."""
    store.write(replace(owned, version=2, lease_seconds=300))
    records.read()
    assert records.lease().state is State.SKIP
    store.write(replace(owned, version=3, lease_seconds=300, saved_at="2026-11-22T07:54:00.000+00:00"))
    records.read()
    assert "start a task" in records.lease().remedy  # that it ran out already is seen at once
    assert clock.now == 1000


@pytest.mark.parametrize(("code", "expected"), [(2, 2), (3, 3), (4, 4), (0, 1)])
def test_a_recorded_problem_is_told(
    records: StoredRecord, owned: Record, store: MemoryCheckpoints, code: int, expected: int
) -> None:
    """In the words of the task that stopped, and with what it ended with; an older tailer did not write that down."""
    records.read()
    assert records.problem().state is State.OK
    store.write(replace(owned, version=2, problem="the payments.payments/4711 is too large", problem_code=code))
    records.read()
    verdict = records.problem()
    assert (verdict.state, verdict.exit_code) == (State.FAIL, expected)
    assert "payments/4711 is too large" in verdict.found


def test_settings_that_the_checkpoint_was_not_made_for_are_found(doctor: Doctor, stored: Settings, mapping: str) -> None:
    """As a tailer would refuse them; the command that accepts them is named."""
    record = Record(stream=stored.stream, version=1, identity=stored.identity, checkpoint=replace(REACHED, sequence=0))
    Parts(stored).store.write(record)
    assert "stream.settings" not in doctor(TAILER_LANES="4").failed  # nothing was delivered yet
    Parts(stored).store.write(replace(record, version=2, checkpoint=replace(REACHED, position=At("1795332226.1"))))
    report = doctor(TAILER_LANES="4")
    assert report.failed == {"stream.settings"}
    assert report.code == 2
    assert "tailer checkpoint accept-settings" in report["stream.settings"][1]


@pytest.fixture(autouse=True)
def _no_probe_of_other_tests(stack: DevStack) -> Iterator[None]:
    yield
    stack.mongo.drop_database("tailrace")


def test_tasks_that_died_at_one_position_are_told(records: StoredRecord, owned: Record, store: MemoryCheckpoints) -> None:
    """Once the next one is careful for it: a single death says nothing."""
    for deaths, state in ((Crashes(count=1), State.OK), (Crashes(count=3, batch_limit=100, until=100_000), State.WARN)):
        stored = store.read(owned.stream) or owned
        store.write(replace(stored, version=stored.version + 1, crashes=deaths))
        records.read()
        assert records.problem().state is state
    assert "3 in a row at this position" in records.problem().found
