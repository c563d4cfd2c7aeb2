"""The checks of a stream's record and of its lease."""

from dataclasses import replace as replace_fields
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from tailer.checkpoints.checks import StoredRecord
from tailer.checks import State
from tailer.crashes import Crashes
from tailer.in_memory import MemorySource
from tailer.model import After, At, Checkpoint, Record
from tailer.parts import Parts
from tailer.settings.settings import Settings
from tailer.stores.memory import MemoryCheckpoints
from tailer.times import rfc3339
from tests.conformance.checkpoint_store import Clock
from tests.samples.changes import a_change
from tests.tailer.checked import Doctor
from tests.tailer.parts import parts_with
from tests.tailer.records import record_of

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
    """The checks of the records, with a sleep that advances the clock."""

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


def test_readable_stream_shows_where_it_opens(parts: Parts, store: MemoryCheckpoints, owned: Record) -> None:
    """Also before the first start, where TAILER_START may be a word."""
    source = MemorySource(poll=0)
    records = replace_fields(record_of(parts), source=lambda: source)
    assert records.readable().found == f"opens at TAILER_START, {rfc3339(source.first().reached)}"
    source.commit(a_change())
    store.write(replace(owned, version=2, checkpoint=Checkpoint(position=After("1", REACHED.reached))))
    records.read()
    assert records.readable().found == f"opens after {rfc3339(REACHED.reached)}"


def test_stream_without_an_owner_is_fine_only_before_the_first_start(
    records: StoredRecord, store: MemoryCheckpoints, stored: Settings
) -> None:
    records.read()
    assert records.lease().state is State.OK
    store.write(Record(stream=stored.stream, version=1, checkpoint=REACHED, saved_at="2026-11-22T08:00:00.000+00:00"))
    records.read()
    verdict = records.lease()
    assert verdict.state is State.WARN
    assert "since 2026-11-22T08:00:00.000+00:00" in verdict.found


def test_renewed_lease_is_alive(
    records: StoredRecord, owned: Record, store: MemoryCheckpoints, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """A renewal since the record was read counts."""
    records.read()
    clock.now += 60
    store.write(replace(owned, version=2))
    verdict = records.lease()
    assert verdict.state is State.OK
    assert "host/7 tails it, owner number 3" in verdict.found
    assert clock.now == 1060


def test_lease_without_a_renewal_is_a_warning(records: StoredRecord, owned: Record, clock: Clock) -> None:
    """After one and a half renewal intervals."""
    records.read()
    verdict = records.lease()
    assert verdict.state is State.WARN
    assert 7.5 < clock.now - 1000 < 8.5
    assert "host/7 has not renewed its lease" in verdict.found
    assert "after 15 s" in verdict.remedy


@pytest.mark.parametrize(("ago", "words"), [(14, "a standby takes over after 15 s"), (3600, "start a task: tailer run")])
def test_expired_lease_has_no_standby(
    records: StoredRecord, owned: Record, store: MemoryCheckpoints, ago: int, words: str
) -> None:
    """The finding says since when it is not renewed."""
    since = (NOW - timedelta(seconds=ago)).isoformat(timespec="milliseconds")
    store.write(replace(owned, version=2, saved_at=since))
    records.read()
    verdict = records.lease()
    assert verdict.state is State.WARN
    assert f"host/7 has not renewed its lease since {since}" in verdict.found
    assert words in verdict.remedy


def test_long_lease_is_not_waited_for(records: StoredRecord, owned: Record, store: MemoryCheckpoints, clock: Clock) -> None:
    store.write(replace(owned, version=2, lease_seconds=300))
    records.read()
    assert records.lease().state is State.SKIP
    store.write(replace(owned, version=3, lease_seconds=300, saved_at="2026-11-22T07:54:00.000+00:00"))
    records.read()
    assert "start a task" in records.lease().remedy  # An expired lease is seen at once.
    assert clock.now == 1000


@pytest.mark.parametrize(("code", "expected"), [(2, 2), (3, 3), (4, 4), (0, 1)])
def test_recorded_problem_is_reported(
    records: StoredRecord, owned: Record, store: MemoryCheckpoints, code: int, expected: int
) -> None:
    """With its text and exit code. An older tailer did not record a code."""
    records.read()
    assert records.problem().state is State.OK
    store.write(replace(owned, version=2, problem="the payments.payments/4711 is too large", problem_code=code))
    records.read()
    verdict = records.problem()
    assert (verdict.state, verdict.exit_code) == (State.FAIL, expected)
    assert "payments/4711 is too large" in verdict.found


def test_settings_unlike_the_checkpoints_are_found(doctor: Doctor, stored: Settings, mapping: str) -> None:
    """With the command that accepts them."""
    record = Record(stream=stored.stream, version=1, identity=stored.identity, checkpoint=replace(REACHED, sequence=0))
    Parts(stored).store.write(record)
    assert "stream.settings" not in doctor(TAILER_LANES="4").failed  # Nothing was delivered yet.
    Parts(stored).store.write(replace(record, version=2, checkpoint=replace(REACHED, position=At("1795332226.1"))))
    report = doctor(TAILER_LANES="4")
    assert report.failed == {"stream.settings"}
    assert report.code == 2
    assert "tailer checkpoint accept-settings" in report["stream.settings"][1]


def test_deaths_at_one_position_are_reported(records: StoredRecord, owned: Record, store: MemoryCheckpoints) -> None:
    """A single death is not."""
    for deaths, state in ((Crashes(count=1), State.OK), (Crashes(count=3, batch_limit=100, until=100_000), State.WARN)):
        stored = store.read(owned.stream) or owned
        store.write(replace(stored, version=stored.version + 1, crashes=deaths))
        records.read()
        assert records.problem().state is state
    assert "3 in a row at this position" in records.problem().found
