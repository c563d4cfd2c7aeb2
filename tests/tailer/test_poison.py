"""Documents that no message can carry are parked or stop the stream, with and without a claim bucket."""

import hashlib
import os
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

import bson
import pytest
from bson import Binary
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from devstack import DevStack
from tailer.cli.command_line import command_line
from tailer.errors import Undeliverable
from tailer.resume_tokens import short
from tailrace.wire.change import GAP
from tests.queue import received
from tests.samples.changes import ORIGIN
from tests.tailer.tailers import Tailers

Mongo = MongoClient[dict[str, Any]]
MB = 1 << 20
BROKEN = bson.encode({"_id": "broken", "held": Binary(b"abcdef", 2)}).replace(b"\x06\0\0\0abcdef", b"\x63\0\0\0abcdef")
POISON: Mapping[str, tuple[Callable[[], Any], str]] = {
    "inner length": (lambda: RawBSONDocument(BROKEN), ""),
    "JSON": (lambda: {"_id": "json", "text": "\x01" * (11 * MB + MB // 2)}, "bytes of JSON"),
    "16 MB": (lambda: {"_id": "k" * 8_000, "text": "x" * (16 * MB - 8_064)}, "16 MB that the server can send"),
    "long key": (lambda: {"_id": "k" * 700_000}, "document key"),
    "no bucket": (lambda: {"_id": "random", "data": os.urandom(2 * MB)}, "TAILER_CLAIM_BUCKET"),
}
"""A document, and what the reason of its stub says; nothing where the change arrives as itself."""


@pytest.fixture
def mongo(large_mongo: Mongo, tailers: Tailers) -> Mongo:
    """The server that the tailers watch."""
    [(host, port)] = large_mongo.nodes
    tailers.set(mongodb_uri=f"mongodb://{host}:{port}/?directConnection=true")
    return large_mongo


@pytest.fixture(params=["without a bucket", "with one"])
def bucket(request: pytest.FixtureRequest, stack: DevStack) -> str:
    return stack.resources.claim_bucket if request.param == "with one" else ""


def poison(bucket: str) -> list[str]:
    """Return the names of the documents that are poison, in the order in which they are written."""
    return [name for name, (_, reason) in POISON.items() if reason and not (bucket and name == "no bucket")]


def write_all(mongo: Mongo, database: str) -> None:
    for document, _ in POISON.values():
        mongo[database].c.insert_one(document())
    mongo[database].c.insert_one({"_id": "last"})


def run_until_sequence(tailers: Tailers, sequence: int) -> None:
    """Run the tailer until this many changes are in the queue."""
    tailers.run(lambda: (tailers.record.checkpoint or ORIGIN).sequence == sequence)


def test_stub_replaces_each_poison_change(
    stack: DevStack, mongo: Mongo, queue_url: str, fresh: str, tailers: Tailers, bucket: str
) -> None:
    """In order and numbered without a gap. With a claim bucket the raw event is stored there."""
    tailers.run(tailers.opened, claim_bucket=bucket)
    write_all(mongo, fresh)
    run_until_sequence(tailers, len(POISON) + 1)
    *changes, last = sorted(received(stack, queue_url), key=lambda change: change.sequence)
    assert [change.sequence for change in changes] == list(range(1, len(POISON) + 1))
    assert last.document_key == {"_id": "last"}
    stubs = {name: change for name, change in zip(POISON, changes, strict=True) if change.poison}
    assert list(stubs) == poison(bucket)
    for name, stub in stubs.items():
        assert stub.poison is not None
        assert POISON[name][1] in stub.poison.reason
        assert (stub.operation_type, stub.ns.db, stub.ns.coll) == ("insert", fresh, "c")
        assert (stub.poison.raw is not None) == bool(bucket and name != "16 MB")
        if claim := stub.poison.raw:
            raw = RawBSONDocument(stack.aws("s3").get_object(Bucket=claim.bucket, Key=claim.key)["Body"].read())
            assert raw["fullDocument"]["_id"] == POISON[name][0]()["_id"]
            assert (len(raw.raw), hashlib.sha256(raw.raw).hexdigest()) == (claim.bytes, claim.sha256)
    assert tailers.record.stubs == len(stubs)


def test_each_poison_change_can_be_skipped(
    stack: DevStack, mongo: Mongo, queue_url: str, fresh: str, tailers: Tailers, bucket: str
) -> None:
    """With the command that the error prints. Consumers receive a gap, and a stub has its sequence."""
    tailers.run(tailers.opened, claim_bucket=bucket, on_poison="stop")
    write_all(mongo, fresh)
    for name in poison(bucket):
        with pytest.raises(Undeliverable, match=re.escape(POISON[name][1])) as stopped:
            tailers.run(lambda: False)
        [command] = re.findall(r"tailer (checkpoint skip \S+ --stream \S+) --why", str(stopped.value))
        assert command_line([*command.split(), "--why", "a test", "--by", "me"], threading.Event()) == 0
    run_until_sequence(tailers, len(POISON) + 1 + len(poison(bucket)))
    changes = received(stack, queue_url)
    stubs = {change.id for change in changes if change.poison}
    assert {short(one) for one in stubs} == {skip.change for skip in tailers.record.skips}
    gaps = [change.full_document for change in changes if change.operation_type == GAP]
    assert len(stubs) == len(gaps) == len(poison(bucket))
    assert all(gap and gap["reason"].endswith("was skipped: a test") and gap["acceptedBy"] == "me" for gap in gaps)
    assert any(change.document_key == {"_id": "last"} for change in changes)


def test_only_the_change_that_stops_the_stream_can_be_skipped(tailers: Tailers, capsys: pytest.CaptureFixture[str]) -> None:
    """Another token is refused, with the recorded problem."""
    tailers.run(tailers.opened)
    assert command_line(["checkpoint", "skip", "8265F2A1", "--why", "a test"], threading.Event()) == 2
    assert "Its recorded problem: none" in capsys.readouterr().err
