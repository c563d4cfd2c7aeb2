"""The check that a store takes a record."""

from collections.abc import Iterator
from typing import Any

import pytest

from devstack import DevStack
from tailer.checks import State
from tailer.errors import Misconfigured, Unavailable
from tailer.model import Record
from tailer.parts import Parts
from tailer.ports import Conflict
from tailer.settings.settings import Settings
from tailer.stores.checks import PROBE, takes_a_record
from tailer.stores.memory import MemoryCheckpoints


@pytest.fixture
def store() -> MemoryCheckpoints:
    return MemoryCheckpoints()


@pytest.fixture(autouse=True)
def _no_probe_of_other_tests(stack: DevStack) -> Iterator[None]:
    yield
    stack.mongo.drop_database("tailrace")


@pytest.mark.parametrize("kind", ["dynamodb", "mongodb", "file"])
def test_store_takes_a_record(stack: DevStack, stored: Settings, tmp_path: Any, kind: str) -> None:
    """Every kind of store, twice. No stream can have the name of the probe."""
    url = {"dynamodb": f"dynamodb://{stack.resources.table}", "mongodb": "mongodb:", "file": f"file://{tmp_path}/c.json"}[kind]
    settings = Settings(**{**stored.model_dump(), "checkpoints": url})
    for _ in range(2):
        verdict = takes_a_record(Parts(settings).store)
        assert (verdict.state, verdict.found) == (State.OK, "written")
    with pytest.raises(ValueError, match="stream"):
        Settings(**{**stored.model_dump(), "stream": PROBE})


def test_role_without_write_access_for_the_probe_is_a_warning(
    store: MemoryCheckpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB's LeadingKeys may allow the streams only."""

    def denied(_: object) -> None:
        raise Misconfigured("TAILER_CHECKPOINTS: state: the task's role may not use it (AccessDeniedException: no)")

    monkeypatch.setattr(store, "write", denied)
    verdict = takes_a_record(store)
    assert verdict.state is State.WARN
    assert PROBE in verdict.remedy


def test_two_doctors_at_once_do_not_fail(store: MemoryCheckpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each retries after the other's write, but not for ever."""
    write, conflicts = store.write, iter([True, True, False])

    def sometimes(record: Record) -> None:
        if next(conflicts, False):
            raise Conflict
        write(record)

    monkeypatch.setattr(store, "write", sometimes)
    assert takes_a_record(store).state is State.OK
    conflicts = iter([True] * 9)
    with pytest.raises(Unavailable, match=PROBE):
        takes_a_record(store)
