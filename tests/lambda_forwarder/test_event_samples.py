"""Every event in the table has a sample: a change and what goes on the bus for it. A diff there is an API change."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from contract.change import Change
from lambda_forwarder.event import DomainEvent, Entry, Mapper
from lambda_forwarder.mappings import MAPPERS
from lambda_forwarder.mappings.gaps import StreamGapDetected
from lambda_forwarder.naming import named
from tests.lambda_forwarder.values import message

SAMPLES = Path(__file__).parents[1] / "samples" / "events"


def on_the_bus(entry: Entry) -> dict[str, Any]:
    return {
        "Source": entry.source,
        "DetailType": entry.detail_type,
        "Time": f"{entry.time:%Y-%m-%dT%H:%M:%SZ}",  # EventBridge keeps whole seconds
        "Detail": json.loads(entry.detail),
    }


def told_by(mapper: Mapper) -> Iterable[type[DomainEvent]]:
    """The events in a mapper's return type."""
    waiting = [get_type_hints(mapper)["return"]]
    while waiting:
        hint = waiting.pop()
        waiting += get_args(hint)
        if isinstance(hint, type) and issubclass(hint, DomainEvent):
            yield hint


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.change.json")), ids=lambda path: path.name)
def test_a_change_means_its_sample_event(path: Path) -> None:
    """The recorded change gives the recorded event, to the last field."""
    change = msgspec.json.decode(path.read_bytes(), type=Change)
    [entry], _ = named(message(change), MAPPERS)
    expected = json.loads(path.with_name(path.name.replace(".change.", ".event.")).read_text())
    assert on_the_bus(entry) == expected


def test_every_event_in_the_table_has_a_sample() -> None:
    """An event without a sample pair is not finished; nor is the one that needs no table."""
    table = {event.__name__ for mappers in MAPPERS.values() for mapper in mappers for event in told_by(mapper)}
    sampled = {json.loads(path.read_text())["DetailType"] for path in SAMPLES.glob("*.event.json")}
    assert table | {StreamGapDetected.__name__} == sampled


def test_an_event_has_one_mapper() -> None:
    """No two mappers of a collection tell the same event: its id would not tell them apart."""
    for mappers in MAPPERS.values():
        events = [event for mapper in mappers for event in told_by(mapper)]
        assert len(events) == len(set(events))
