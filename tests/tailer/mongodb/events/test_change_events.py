"""Resume tokens and cluster times become text and are read back; change events become changes."""

import pytest
from bson import Timestamp, encode
from bson.raw_bson import RawBSONDocument

from tailer.errors import Misconfigured
from tailer.mongodb.events.change_events import change_from_event
from tailer.mongodb.events.positions import next_time, reply_time, time_of, time_text, token_document, token_text
from tailrace.questions.images import Uncertain
from tests.asked import as_received

BARE = {"operationType": "insert", "clusterTime": Timestamp(7, 1), "ns": {"db": "a", "coll": "b"}, "documentKey": {"_id": 1}}


@pytest.mark.parametrize("token", [{"_data": "8265"}, {"_data": b"\x82"}, {"_data": "01", "_typeBits": b"x"}])
def test_resume_token_survives_as_text(token: dict[str, object]) -> None:
    """Current tokens are their own text. Older kinds are kept whole so that they can be resumed."""
    assert token_document(token_text(token)) == token


@pytest.mark.parametrize("data", ["8265", "015daf94f6", b"\x82"])
def test_change_id_is_its_resume_token(data: object) -> None:
    raw = RawBSONDocument(encode({"_id": {"_data": data}, **BARE}))
    assert token_document(change_from_event(raw, 1).id) == {"_data": data}


def test_cluster_time_survives_as_text() -> None:
    """Seconds and increment."""
    assert time_text(time_of("1795332226.7")) == "1795332226.7"
    assert next_time("1795332226.7") == "1795332226.8"


def test_reply_time_is_read_from_either_place() -> None:
    assert reply_time({"operationTime": Timestamp(7, 1)}) == "7.1"
    assert reply_time({"$clusterTime": {"clusterTime": Timestamp(8, 1)}}) == "8.1"
    assert reply_time({"ok": 1}) is None


@pytest.mark.parametrize("field", ["operationType", "clusterTime"])
def test_field_removed_by_the_pipeline_is_named(field: str) -> None:
    """No change can be read without it."""
    event = {"_id": {"_data": "82"}, **{name: value for name, value in BARE.items() if name != field}}
    with pytest.raises(Misconfigured, match=f"TAILER_PIPELINE removes '{field}'"):
        change_from_event(RawBSONDocument(encode(event)), 1)


def test_change_event_of_documentdb_is_complete_enough() -> None:
    """It has no wall time, session or update description. The time comes from the cluster time."""
    change = change_from_event(RawBSONDocument(encode({"_id": {"_data": "01ab"}, **BARE, "operationType": "update"})), 3)
    assert (change.id, change.sequence, change.cluster_time, change.wall_time) == ("01ab", 3, "7.1", None)
    assert change.update_description is None
    with pytest.raises(Uncertain):
        as_received(change).became("status", "cancelled")
