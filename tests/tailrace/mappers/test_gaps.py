"""The event of a gap in a stream's history."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from tailrace.mappers.gaps import stream_gap_detected
from tests.lambda_forwarder.values import gap


def test_gap_event_has_its_bounds_and_who_accepted_it() -> None:
    told = stream_gap_detected(gap())
    assert (told.stream, told.accepted_by, told.reason) == ("payments", "ada", "the log's retention was three hours")
    assert told.from_ == datetime(2026, 11, 22, 7, 1, 30, tzinfo=UTC)
    assert told.to == datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert told.accepted_at == datetime(2026, 11, 22, 8, 5, 0, 250_000, tzinfo=UTC)


def test_gap_of_a_new_stream_has_no_beginning() -> None:
    document = (gap().full_document or {}) | {"from": None}
    assert stream_gap_detected(replace(gap(), full_document=document)).from_ is None


@pytest.mark.parametrize("document", [None, {}, {"stream": "payments"}, (gap().full_document or {}) | {"to": "tomorrow"}])
def test_gap_without_its_fields_is_an_error(document: dict[str, object] | None) -> None:
    """It is parked."""
    with pytest.raises((KeyError, ValueError)):
        stream_gap_detected(replace(gap(), full_document=document))
