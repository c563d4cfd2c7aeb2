"""The traceparent of a change."""

import pytest
from msgspec import json
from msgspec.structs import replace

from lambda_forwarder.model.entry import entry, traceparent
from tailrace.change import Change
from tailrace.wire.change import UpdateDescription
from tests.lambda_forwarder.values import Noted, cancelled, inserted, message

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def updated(**fields: object) -> Change:
    return replace(cancelled(), update_description=UpdateDescription(updated_fields=dict(fields)))


def test_traceparent_is_read_from_the_document() -> None:
    """From a top-level field."""
    assert traceparent(inserted(traceparent=TRACE)) == TRACE
    assert traceparent(inserted()) is None


def test_traceparent_of_the_update_wins_over_the_document() -> None:
    """The document was looked up later."""
    change = replace(updated(traceparent=TRACE), full_document={"traceparent": OTHER})
    assert traceparent(change) == TRACE


def test_update_without_a_traceparent_uses_the_documents() -> None:
    """An update that sets the same value does not describe it."""
    assert traceparent(replace(updated(status="x"), full_document={"traceparent": TRACE})) == TRACE
    assert traceparent(replace(updated(status="x"), full_document=None)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        TRACE.upper(),
        TRACE + "\n",
        "ff" + TRACE[2:],
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        7,
        None,
        {"a": TRACE},
    ],
)
def test_invalid_traceparent_is_ignored(text: object) -> None:
    assert traceparent(inserted(traceparent=text)) is None


def test_event_metadata_has_the_traceparent() -> None:
    """Without one it has no such field."""
    for change, expected in ((inserted(traceparent=TRACE), TRACE), (inserted(), None)):
        detail = json.decode(entry(Noted(), change=change, message=message(change)).detail)
        assert detail["metadata"].get("traceparent") == expected
        assert ("traceparent" in detail["metadata"]) == (expected is not None)
