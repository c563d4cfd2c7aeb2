"""Poison among other changes on a real server delays and loses none of the others."""

import json
import re
import threading
from typing import Any

import bson
import pytest
from bson import Binary
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from devstack import DevStack
from tailer.cli.command_line import command_line
from tailer.errors import Misconfigured, Undeliverable
from tests.queue import received
from tests.tailer.tailers import Tailers

Mongo = MongoClient[dict[str, Any]]
BROKEN = bson.encode({"_id": "broken", "held": Binary(b"abcdef", 2)}).replace(b"\x06\0\0\0abcdef", b"\x63\0\0\0abcdef")
BEFORE = [1, 2, 3]
KEPT = 2  # skips that the record remembers in these tests
ALONE = "x" * 400_000  # bytes of a document, enough for a batch of its own


def _sent_ids(stack: DevStack, queue_url: str) -> list[Any]:
    changes = sorted(received(stack, queue_url), key=lambda change: change.sequence)
    return [change.document_key.get("_id") for change in changes if change.poison is None and change.document_key]


def test_changes_before_poison_are_sent_before_it_stops_the_stream(
    stack: DevStack, mongo: Mongo, queue_url: str, fresh: str, tailers: Tailers
) -> None:
    """Although the server returns all of them in one reply."""
    tailers.run(tailers.opened, order_by="region", full_document_before_change="required", on_poison="stop")
    mongo[fresh].c.insert_many([{"_id": one, "region": "eu"} for one in BEFORE] + [{"_id": "p"}, {"_id": "q"}])
    with pytest.raises(Undeliverable, match="region"):
        tailers.run(lambda: False)
    assert sorted(_sent_ids(stack, queue_url)) == BEFORE
    checkpoint = tailers.record.checkpoint
    assert checkpoint is not None
    assert checkpoint.sequence == len(BEFORE)


def test_any_number_of_poison_changes_can_be_skipped(
    mongo: Mongo, fresh: str, tailers: Tailers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than the record remembers, all in one reply."""
    monkeypatch.setattr("tailer.checkpoints.decisions.KEPT", KEPT)
    tailers.run(tailers.opened, order_by="region", full_document_before_change="required", on_poison="stop")
    mongo[fresh].c.insert_many([{"_id": one} for one in range(KEPT + 2)])
    for number in range(KEPT + 2):
        with pytest.raises(Undeliverable, match=rf"{fresh}\.c/{number} ") as stopped:
            tailers.run(lambda: False)
        [command] = re.findall(r"tailer (checkpoint skip \S+ --stream \S+) --why", str(stopped.value))
        assert command_line([*command.split(), "--why", "a test", "--by", "me"], threading.Event()) == 0


@pytest.mark.parametrize("place", range(3))
def test_pipeline_field_may_hold_invalid_bson(
    stack: DevStack, mongo: Mongo, queue_url: str, fresh: str, tailers: Tailers, place: int
) -> None:
    """In the first, a middle and the last change of a stream: the next position is still read."""
    lifted = json.dumps([{"$addFields": {"lifted": "$fullDocument.held"}}])
    tailers.run(tailers.opened, pipeline=lifted)
    documents: list[Any] = [{"_id": 1, "text": ALONE}, {"_id": 2, "text": ALONE}]
    documents.insert(place, RawBSONDocument(BROKEN))
    mongo[fresh].c.insert_many(documents)
    tailers.run(lambda: (checkpoint := tailers.record.checkpoint) is not None and checkpoint.sequence == len(documents))
    expected: list[Any] = [1, 2]
    expected.insert(place, "broken")
    assert _sent_ids(stack, queue_url) == expected


def test_changes_before_an_event_that_fails_the_pipeline_are_sent(
    stack: DevStack, mongo: Mongo, queue_url: str, fresh: str, tailers: Tailers
) -> None:
    """The server returns an error for the whole reply."""
    number = json.dumps([{"$match": {"$expr": {"$gte": [{"$toInt": "$fullDocument.number"}, 0]}}}])
    tailers.run(tailers.opened, pipeline=number)
    mongo[fresh].c.insert_many([{"_id": one, "number": str(one)} for one in BEFORE] + [{"_id": "p", "number": "p"}])
    with pytest.raises(Misconfigured, match="TAILER_PIPELINE"):
        tailers.run(lambda: False)
    assert _sent_ids(stack, queue_url) == BEFORE
