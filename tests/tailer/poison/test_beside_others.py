"""Poison among other changes, written to a real server: none of the others waits for it, and none is lost."""

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
KEPT = 2  # skips that the record keeps in these tests
ALONE = "x" * 400_000  # of a document, in a batch of its own


def _sent(stack: DevStack, queue_url: str) -> list[Any]:
    changes = sorted(received(stack, queue_url), key=lambda change: change.sequence)
    return [change.document_key.get("_id") for change in changes if change.poison is None and change.document_key]


def test_what_is_committed_before_poison_is_sent_before_it_stops_the_stream(
    stack: DevStack, mongo: Mongo, queue_url: str, fresh: str, tailers: Tailers
) -> None:
    """Although the server shows all of them in one reply."""
    tailers.run(tailers.opened, order_by="region", full_document_before_change="required", on_poison="stop")
    mongo[fresh].c.insert_many([{"_id": one, "region": "eu"} for one in BEFORE] + [{"_id": "p"}, {"_id": "q"}])
    with pytest.raises(Undeliverable, match="region"):
        tailers.run(lambda: False)
    assert sorted(_sent(stack, queue_url)) == BEFORE
    checkpoint = tailers.record.checkpoint
    assert checkpoint is not None
    assert checkpoint.sequence == len(BEFORE)


def test_any_number_of_changes_can_be_stepped_over_one_by_one(
    mongo: Mongo, fresh: str, tailers: Tailers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than the record keeps skips of, all in one reply."""
    monkeypatch.setattr("tailer.checkpoints.decisions.KEPT", KEPT)
    tailers.run(tailers.opened, order_by="region", full_document_before_change="required", on_poison="stop")
    mongo[fresh].c.insert_many([{"_id": one} for one in range(KEPT + 2)])
    for number in range(KEPT + 2):
        with pytest.raises(Undeliverable, match=rf"{fresh}\.c/{number} ") as stopped:
            tailers.run(lambda: False)
        [command] = re.findall(r"tailer (checkpoint skip \S+ --stream \S+) --why", str(stopped.value))
        assert command_line([*command.split(), "--why", "a test", "--by", "me"], threading.Event()) == 0


@pytest.mark.parametrize("place", range(3))
def test_a_field_that_the_pipeline_adds_may_hold_what_is_no_bson(
    stack: DevStack, mongo: Mongo, queue_url: str, fresh: str, tailers: Tailers, place: int
) -> None:
    """As the first change of a stream, in between and as the last: the position behind it is read all the same."""
    lifted = json.dumps([{"$addFields": {"lifted": "$fullDocument.held"}}])
    tailers.run(tailers.opened, pipeline=lifted)
    documents: list[Any] = [{"_id": 1, "text": ALONE}, {"_id": 2, "text": ALONE}]
    documents.insert(place, RawBSONDocument(BROKEN))
    mongo[fresh].c.insert_many(documents)
    tailers.run(lambda: (checkpoint := tailers.record.checkpoint) is not None and checkpoint.sequence == len(documents))
    expected: list[Any] = [1, 2]
    expected.insert(place, "broken")
    assert _sent(stack, queue_url) == expected


def test_what_is_committed_before_an_event_that_the_pipeline_fails_on_is_sent(
    stack: DevStack, mongo: Mongo, queue_url: str, fresh: str, tailers: Tailers
) -> None:
    """The server answers for the whole reply with an error, which says that the pipeline is wrong."""
    number = json.dumps([{"$match": {"$expr": {"$gte": [{"$toInt": "$fullDocument.number"}, 0]}}}])
    tailers.run(tailers.opened, pipeline=number)
    mongo[fresh].c.insert_many([{"_id": one, "number": str(one)} for one in BEFORE] + [{"_id": "p", "number": "p"}])
    with pytest.raises(Misconfigured, match="TAILER_PIPELINE"):
        tailers.run(lambda: False)
    assert _sent(stack, queue_url) == BEFORE
