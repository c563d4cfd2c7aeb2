"""Whatever bytes a server stores, the stream continues, and every change arrives complete or as a stub."""

import random
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, cast

import bson
import pytest
from bson import CodecOptions, Timestamp
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from devstack import DevStack
from tailer.aws.lanes import lanes
from tailer.aws.packing import Packer
from tailer.mongodb.decoding import tolerant
from tailer.mongodb.decoding.duplicate_fields import DuplicateFields
from tailer.mongodb.decoding.values import _OPTIONS, FirstKept, decode
from tailer.mongodb.events.event_reader import EventReader
from tailer.mongodb.events.stubs import stub
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.poison import OnPoison
from tailer.resume_tokens import ID_LIMIT
from tailrace.message import unpack
from tailrace.wire.change import Change
from tailrace.wire.message import encode_change
from tests.asked import as_received
from tests.queue import received
from tests.samples.changes import ORIGIN
from tests.tailer.mongodb.random_bson import document, mutated
from tests.tailer.mongodb.test_source import read_exactly
from tests.tailer.tailers import Tailers

pytestmark = pytest.mark.usefixtures("short_reads")

DOCUMENTS = 400  # Half of them are valid, half are mutated.
Documents = Collection[dict[str, Any]]
_names = count(1)
seeds = st.integers(0, 2**32 - 1)


def insert_random(documents: Documents, seed: int) -> list[bytes]:
    """Return the random documents that the server accepted, in order."""
    source = random.Random(seed)
    for number in range(DOCUMENTS):
        raw = (mutated if number % 2 else document)(source, number)
        with suppress(PyMongoError, InvalidBSON):  # The server refuses many of them.
            documents.insert_one(cast("Any", RawBSONDocument(raw)))
    stored = documents.with_options(CodecOptions(document_class=RawBSONDocument, unicode_decode_error_handler="replace"))
    return [bytes(one.raw) for one in stored.find().sort("$natural", 1)]


def as_nested(raw: bytes) -> Any:
    """Decode the document as a field of another document: there a DBRef whose ``$db`` is null loses it."""
    return decode(bson.encode({"document": RawBSONDocument(raw)}))["document"]


@settings(max_examples=4, database=None, phases=[Phase.generate])  # Shrinking takes minutes.
@given(seeds)
def test_every_change_arrives_complete_or_as_a_stub(stack: DevStack, seed: int) -> None:
    """In order, numbered without gaps, packed and unpacked again. A second read gives the same changes."""
    documents = stack.mongo[f"any{next(_names)}"].c
    documents.database.create_collection("c")
    source = MongodbSource(stack.mongo, Watch(database=documents.database.name, full_document="default"))
    start = source.first()
    stored = insert_random(documents, seed)
    assert len(stored) > DOCUMENTS // 4
    changes = read_exactly(source, start, count=len(stored))
    assert [change.sequence for change in changes] == list(range(1, len(stored) + 1))
    lane_of, packer = lanes(128, "document"), Packer(stream="any", generation=1)
    for change, raw in zip(changes, stored, strict=True):
        assert change.poison is not None or change.full_document == as_nested(raw)
        [message] = packer.messages(lane_of(change), [change])
        assert unpack(message.body).changes == (as_received(change),)
    assert len({change.document for change in changes}) == len(stored)
    assert read_exactly(source, start, count=len(stored)) == changes
    documents.database.client.drop_database(documents.database.name)


def test_tailer_continues_for_random_documents(stack: DevStack, queue_url: str, fresh: str, tailers: Tailers) -> None:
    """From the server to the queue."""
    tailers.run(tailers.opened)
    stored = insert_random(stack.mongo[fresh].c, seed=random.randrange(2**32))
    tailers.run(lambda: (tailers.record.checkpoint or ORIGIN).sequence == len(stored))
    assert sorted(change.sequence for change in received(stack, queue_url)) == list(range(1, len(stored) + 1))


@given(seeds)
def test_both_decoders_agree(seed: int) -> None:
    """The tolerant decoder accepts more documents, and the C decoder decodes undefined as None."""
    raw = document(random.Random(seed), 1)
    second = tolerant.document(raw, 0, FirstKept)
    try:
        first = bson.decode(raw, _OPTIONS)
    except InvalidBSON:
        return
    assert first == without_undefined(second)
    if first != second:
        assert tolerant.may_hold_undefined(raw)


def without_undefined(value: Any) -> Any:
    """The value with None in place of each undefined."""
    match value:
        case {"$undefined": True}:
            return None
        case dict():
            return {name: without_undefined(item) for name, item in value.items()}
        case list():
            return [without_undefined(item) for item in value]
        case _:
            return value


EVENT = bson.encode(
    {
        "_id": {"_data": "8265F2A1C0000000011270"},
        "operationType": "insert",
        "clusterTime": Timestamp(1, 2),
        "ns": {"db": "shop", "coll": "orders"},
        "documentKey": {"_id": 1},
    }
)


@given(st.binary(max_size=60), st.integers(0, len(EVENT)), st.integers(0, 20))
@example(b"", 0, 0)
def test_stub_can_be_made_of_any_bytes(other: bytes, at: int, instead_of: int) -> None:
    """It is the same each time, fits a message, and keeps every field that can be read."""
    raw = EVENT[:at] + other + EVENT[at + instead_of :]
    one = stub(raw, 7, "why")
    assert one == stub(raw, 7, "why")
    assert len(encode_change(one)) < 4 * ID_LIMIT
    [message] = Packer(stream="shop", generation=1).messages(lanes(128, "document")(one), [one])
    [again] = unpack(message.body).changes
    assert (again, again.sequence) == (as_received(one), 7)
    assert again.occurred_at
    assert again.poison is not None
    if raw == EVENT:
        assert (one.id, one.operation_type, one.document) == ("8265F2A1C0000000011270", "insert", "shop.orders/1")


def test_programming_error_parks_one_change_without_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names the line of code. A MemoryError is not the change's fault and is no poison."""
    reader = EventReader(OnPoison(), 1, post_image=False, duplicates=DuplicateFields())

    def broken(*_: object, **__: object) -> Change:
        raise errors.pop()

    errors: list[Exception] = [MemoryError(), ValueError("the document's own words")]
    monkeypatch.setattr("tailer.mongodb.events.event_reader.change_from_event", broken)
    one = reader.change(RawBSONDocument(EVENT), 7, 0)
    assert one.poison is not None
    assert one.poison.reason.endswith(f"ValueError in mongodb/{Path(__file__).name}:{broken.__code__.co_firstlineno + 1}")
    with pytest.raises(MemoryError):
        reader.change(RawBSONDocument(EVENT), 7, 0)
