"""The stored form of a record: records of earlier releases are read, and earlier releases read what this one writes."""

import json
from typing import Any

import msgspec
import pytest

from tailer.model import After, At, Checkpoint, Position, Record
from tailer.stored_form import record_from, stored_record
from tests.conformance.checkpoint_store import FULL
from tests.tracked import REPOSITORY

TOKEN = "826921A4C8000000032B022C0100296E04"
RECORDS: dict[str, dict[str, Any]] = json.loads((REPOSITORY / "tests/samples/records.json").read_text())
"""Written by the release before a checkpoint had a position. Only add to them."""
POSITIONS: dict[str, Position | None] = {
    "never started": None,
    "starts at a time": At("1795332226.1"),
    "after a token that contains its time": After(TOKEN, "1763812552.3"),
    "after a token beside the time of an empty reply": After(TOKEN, "1763812552.3"),
    "after a token without a time, beside the time of its change": After("4711", "1795332226.1"),
    "after a token whose time is unknown": After("4711", None),
    "after a token whose time an older release did not read": After(TOKEN, "1763812552.3"),
    "every field": After("82ü", "1795332226.1"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_record_of_an_earlier_release_keeps_its_position(name: str) -> None:
    """Its token or its time; what an earlier release stored for an unknown time is None."""
    checkpoint = record_from(RECORDS[name]).checkpoint
    assert (checkpoint and checkpoint.position) == POSITIONS[name]


@pytest.mark.parametrize("name", RECORDS)
def test_earlier_release_reads_new_records(name: str) -> None:
    """
    The same fields in the same order, without the summary of older gaps, which may be missing. Only the time of a token is
    corrected to the time inside the token.
    """
    before = {field: value for field, value in RECORDS[name].items() if field != "older_gaps"}
    position = POSITIONS[name]
    expected = before
    if position and position.time:
        expected = before | {"checkpoint": before["checkpoint"] | {"cluster_time": position.time}}
    written = json.loads(msgspec.json.encode(stored_record(record_from(before))))
    assert written == expected
    assert list(written) == list(before)


def test_every_field_is_read() -> None:
    """The sample holds each field that a record has, and one of an earlier release, which is ignored."""
    assert record_from(RECORDS["every field"]) == FULL


@pytest.mark.parametrize("checkpoint", [{"token": "82"}, {"cluster_time": 1}, [], "82"])
def test_invalid_stored_checkpoint_is_refused(checkpoint: object) -> None:
    """As msgspec refuses it, which the stores translate."""
    with pytest.raises(msgspec.ValidationError):
        record_from(stored_record(Record(stream="payments")) | {"checkpoint": checkpoint})


def test_error_names_the_field_of_a_checkpoint() -> None:
    """A record has a version and a checkpoint has a sequence, so the name of a field alone says little."""
    with pytest.raises(msgspec.ValidationError, match=r"\$\.checkpoint\.sequence"):
        record_from({"stream": "payments", "checkpoint": {"cluster_time": "1.1", "sequence": "x"}})


def test_positions_are_equal_by_token_and_time() -> None:
    """A checkpoint that did not move is recognised, whether its last reply was confirmed or not."""
    at = Checkpoint(position=After("4711", "1.1"), unconfirmed=True)
    assert at.is_at(Checkpoint(position=After("4711", "1.1")))
    assert not at.is_at(Checkpoint(position=At("1.1")))
