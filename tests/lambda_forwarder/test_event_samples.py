"""Every event in the table has a sample: a change and its event on the bus. A difference is a change of the API."""

import json
from pathlib import Path

import pytest

from examples.payments.events import MAPPERS
from lambda_forwarder.catalogue.catalogue import catalogue, events_of
from lambda_forwarder.trial import as_sample, read, tried

SAMPLES = Path(__file__).parents[2] / "examples" / "payments" / "samples"


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.change.json")), ids=lambda path: path.name)
def test_sample_change_becomes_its_sample_event(path: Path) -> None:
    """To the last field; a list if there are several."""
    [trial] = [trial for message in read(path.read_text()) for trial in tried(message, MAPPERS)]
    told = [as_sample(entry) for entry in trial.entries]
    expected = json.loads(path.with_name(path.name.replace(".change.", ".event.")).read_text())
    assert trial.parked == ()
    assert told == (expected if isinstance(expected, list) else [expected])


def test_every_event_in_the_table_has_a_sample() -> None:
    """And the gap event, which needs no table."""
    samples = [json.loads(path.read_text()) for path in SAMPLES.glob("*.event.json")]
    sampled = {event["DetailType"] for sample in samples for event in (sample if isinstance(sample, list) else [sample])}
    assert {event.__name__ for event in catalogue(MAPPERS)} == sampled


def test_each_event_has_one_mapper() -> None:
    """Two events of one change would have the same id."""
    for mappers in MAPPERS.values():
        told = [event for mapper in mappers for event in events_of(mapper)]
        assert len(told) == len(set(told))
