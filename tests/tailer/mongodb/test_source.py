"""A real change stream is complete, ordered, numbered the same on every replay, and alive while idle."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import pytest
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.aws.packing import Packer
from tailer.errors import HistoryLost, Misconfigured
from tailer.model import After, At, Batch, Checkpoint, Start
from tailer.mongodb.cursor import Cursor
from tailer.mongodb.events.batching import BSON_LIMIT
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailrace.message import unpack
from tailrace.questions.images import Uncertain
from tailrace.wire.change import Change, Namespace
from tests.asked import as_received
from tests.servers import Server

Mongo = MongoClient[dict[str, Any]]


pytestmark = pytest.mark.usefixtures("short_reads")


def read_exactly(source: MongodbSource, after: Checkpoint, *, count: int) -> list[Change]:
    """Return the next `count` changes, and assert that no more follow."""
    changes: list[Change] = []
    with closing(source.batches(after)) as batches:
        for batch in batches:
            changes += batch.changes
            if len(changes) >= count and not batch.changes:
                return changes
    raise AssertionError("a stream does not end")


def until(batches: Iterator[Batch], seen: Callable[[Batch], bool]) -> Batch:
    return next(batch for batch in batches if seen(batch))


def test_every_operation_arrives_in_order(mongo: Mongo, fresh: str, server: Server) -> None:
    """Insert, update, replace, delete and a transaction, numbered from one. DocumentDB does not report the transaction."""
    source = MongodbSource(mongo, Watch(database=fresh, collections=("payments",)))
    start, payments = source.first(), mongo[fresh].payments
    payments.insert_one({"_id": 1, "status": "created", "note": "x"})
    payments.update_one({"_id": 1}, {"$set": {"status": "cancelled"}, "$unset": {"note": 1}})
    payments.replace_one({"_id": 1}, {"status": "refunded"})
    with mongo.start_session() as session, session.start_transaction():
        payments.delete_one({"_id": 1}, session=session)
        payments.insert_one({"_id": 2}, session=session)
    changes = read_exactly(source, start, count=5)
    assert [change.operation_type for change in changes] == ["insert", "update", "replace", "delete", "insert"]
    assert [change.sequence for change in changes] == [1, 2, 3, 4, 5]
    assert [change.document_key["_id"] for change in changes] == [1, 1, 1, 1, 2]
    update = changes[1].update_description
    assert (update is None) is server.has("update_description", "absent")
    if update is not None:
        assert (update.updated_fields, update.removed_fields) == ({"status": "cancelled"}, ["note"])
    assert changes[3].full_document is None
    assert changes[3].txn == changes[4].txn
    assert (changes[3].txn is None) is server.has("event_fields", "documented")
    assert changes[0].txn is None


def test_rename_has_its_target(mongo: Mongo, fresh: str) -> None:
    """A consumer that watches the database can follow the documents to the new name."""
    source = MongodbSource(mongo, Watch(database=fresh))
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 1})
    mongo[fresh].payments.rename("archive")
    insert, rename = read_exactly(source, start, count=2)
    assert (rename.operation_type, rename.ns, rename.to) == (
        "rename",
        Namespace(db=fresh, coll="payments"),
        Namespace(db=fresh, coll="archive"),
    )
    assert insert.to is None


@pytest.mark.parametrize(
    ("field", "setting"),
    [("full_document_before_change", "TAILER_FULL_DOCUMENT_BEFORE_CHANGE"), ("full_document", "TAILER_FULL_DOCUMENT")],
)
def test_missing_required_image_is_a_wrong_setting(mongo: Mongo, fresh: str, server: Server, field: str, setting: str) -> None:
    """Neither waiting nor a later collMod brings it back. The error names a remedy that works. DocumentDB refuses images."""
    images: dict[str, Any] = {field: "required"}
    if server.documentdb:
        _check_refused(mongo, Watch(database=fresh, **images))
        return
    required = MongodbSource(mongo, Watch(database=fresh, **images))
    start = required.first()
    mongo[fresh].payments.insert_one({"_id": 1})
    mongo[fresh].payments.update_one({"_id": 1}, {"$set": {"status": "cancelled"}})
    mongo[fresh].command("collMod", "payments", changeStreamPreAndPostImages={"enabled": True})
    with pytest.raises(Misconfigured, match=f"{setting}=required.*set {setting} to whenAvailable"):
        read_exactly(required, start, count=2)
    images[field] = "whenAvailable"
    there = MongodbSource(mongo, Watch(database=fresh, **images))
    assert [change.sequence for change in read_exactly(there, start, count=2)][:2] == [1, 2]


def _check_refused(mongo: Mongo, watch: Watch) -> None:
    """A server without images refuses the stream, and the error names the setting."""
    source = MongodbSource(mongo, watch)
    with pytest.raises(Misconfigured, match=r"the server refuses this change stream: .*TAILER_FULL_DOCUMENT_BEFORE_CHANGE"):
        read_exactly(source, source.first(), count=1)


def test_replay_from_any_position_gives_the_same_changes(mongo: Mongo, fresh: str) -> None:
    """With the same ids and sequence numbers."""
    source = MongodbSource(mongo, Watch(database=fresh))
    start = source.first()
    mongo[fresh].payments.insert_many([{"_id": number} for number in range(20)])
    changes = read_exactly(source, start, count=20)
    for done, change in enumerate(changes[:-1], 1):
        position = Checkpoint(sequence=change.sequence, position=After(change.id, change.cluster_time))
        assert read_exactly(source, position, count=20 - done) == changes[done:]


@pytest.mark.parametrize(
    ("watch", "expected"),
    [
        (lambda db: Watch(database=db, collections=("a",)), ["a"]),
        (lambda db: Watch(database=db, collections=("a", "b")), ["a", "b"]),
        (lambda db: Watch(database=db), ["a", "b", "c"]),
        (lambda db: Watch(pipeline=[{"$match": {"ns.db": db}}]), ["a", "b", "c"]),
        (lambda db: Watch(database=db, pipeline=[{"$match": {"operationType": "delete"}}]), []),
    ],
    ids=["a collection", "some collections", "a database", "the cluster", "a $match"],
)
def test_stream_sees_exactly_what_it_watches(
    mongo: Mongo, fresh: str, watch: Callable[[str], Watch], expected: list[str]
) -> None:
    source = MongodbSource(mongo, watch(fresh))
    start = source.first()
    for collection in ("a", "b", "c"):
        mongo[fresh][collection].insert_one({})
    assert [change.ns.coll for change in read_exactly(source, start, count=len(expected))] == expected


def test_cluster_stream_does_not_see_its_own_checkpoints(mongo: Mongo, fresh: str) -> None:
    """Each checkpoint would cause another change."""
    source = MongodbSource(mongo, Watch(but_not="tailrace"))
    start = source.first()
    mongo.tailrace.checkpoints.insert_one({})
    mongo[fresh].a.insert_one({})
    assert [change.ns.db for change in read_exactly(source, start, count=1)] == [fresh]


def test_collection_may_be_created_after_the_stream_opens(mongo: Mongo, fresh: str) -> None:
    source = MongodbSource(mongo, Watch(database=fresh, collections=("later",)))
    with closing(source.batches(source.first())) as batches:
        assert next(batches).changes == []
        mongo[fresh].later.insert_one({"_id": 1})
        assert until(batches, lambda batch: bool(batch.changes)).changes[0].document_key == {"_id": 1}


@pytest.mark.usefixtures("on_mongodb")
def test_position_advances_while_nothing_matches(mongo: Mongo, fresh: str) -> None:
    """The resume token of an idle stream never leaves the oplog."""
    source = MongodbSource(mongo, Watch(database=fresh, collections=("quiet",)))
    with closing(source.batches(source.first())) as batches:
        before = next(batches).checkpoint
        mongo[fresh].noisy.insert_many([{} for _ in range(10)])
        moved = until(batches, lambda batch: batch.checkpoint.position != before.position)
    assert moved.changes == []
    assert moved.checkpoint.sequence == 0
    mongo[fresh].quiet.insert_one({"_id": 1})
    assert read_exactly(source, moved.checkpoint, count=1)[0].sequence == 1


def test_stream_continues_after_its_collection_is_dropped(mongo: Mongo, fresh: str) -> None:
    """The drop is a change. A new collection with the same name is watched, numbered on."""
    source = MongodbSource(mongo, Watch(database=fresh, collections=("payments",)))
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 1})
    mongo[fresh].payments.drop()
    mongo[fresh].payments.insert_one({"_id": 2})
    changes = read_exactly(source, start, count=3)
    assert [(change.operation_type, change.sequence) for change in changes] == [("insert", 1), ("drop", 2), ("insert", 3)]


@pytest.mark.parametrize(
    ("watch", "gone"),
    [
        (lambda db: Watch(database=db, collections=("a",), pipeline=[{"$match": {"operationType": "insert"}}]), "collection"),
        (lambda db: Watch(database=db, collections=("a", "b")), "database"),
        (lambda db: Watch(database=db, pipeline=[{"$match": {"operationType": "insert"}}]), "database"),
    ],
)
def test_pipeline_with_match_still_receives_drops(mongo: Mongo, fresh: str, watch: Callable[[str], Watch], gone: str) -> None:
    """Without them the position could not be resumed."""
    source = MongodbSource(mongo, watch(fresh))
    start = source.first()
    mongo[fresh].a.insert_one({"_id": 1})
    if gone == "database":
        mongo.drop_database(fresh)
    else:
        mongo[fresh].a.drop()
    mongo[fresh].a.insert_one({"_id": 2})
    inserts = [change for change in read_exactly(source, start, count=2) if change.operation_type == "insert"]
    while len(inserts) < 2:
        last = Checkpoint(sequence=inserts[-1].sequence, position=After(inserts[-1].id, inserts[-1].cluster_time))
        inserts += [change for change in read_exactly(source, last, count=1) if change.operation_type == "insert"]
    assert [change.document_key["_id"] for change in inserts] == [1, 2]


def test_position_after_a_drop_can_be_resumed(mongo: Mongo, fresh: str) -> None:
    """Without a repeat."""
    source = MongodbSource(mongo, Watch(database=fresh, collections=("payments",)))
    with closing(source.batches(source.first())) as batches:
        mongo[fresh].payments.insert_one({"_id": 1})
        mongo[fresh].payments.drop()
        dropped = until(batches, lambda batch: bool(batch.changes) and batch.changes[-1].operation_type == "drop")
    mongo[fresh].payments.insert_one({"_id": 2})
    assert [change.document_key for change in read_exactly(source, dropped.checkpoint, count=1)] == [{"_id": 2}]


def test_pre_images_are_read_where_the_server_keeps_them(mongo: Mongo, fresh: str, server: Server) -> None:
    if server.documentdb:
        _check_refused(mongo, Watch(database=fresh, full_document_before_change="whenAvailable"))
        return
    mongo[fresh].create_collection("payments", changeStreamPreAndPostImages={"enabled": True})
    source = MongodbSource(mongo, Watch(database=fresh, full_document_before_change="whenAvailable"))
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 1, "status": "created"})
    mongo[fresh].payments.delete_one({"_id": 1})
    assert read_exactly(source, start, count=2)[1].full_document_before_change == {"_id": 1, "status": "created"}


def test_deprecated_bson_types_do_not_stop_the_stream(mongo: Mongo, fresh: str) -> None:
    """Old data: a DBPointer, and undefined within a code's scope."""
    source = MongodbSource(mongo, Watch(database=fresh))
    start = source.first()
    pointer = b"\x0cpointer\0\5\0\0\0coll\0" + bytes(11) + b"\1"
    code = b"\x0fcode\0\x15\0\0\0\2\0\0\0x\0\x0b\0\0\0\6gone\0\0"
    body = b"\x10_id\0\1\0\0\0" + pointer + code + b"\0"
    mongo[fresh].payments.insert_one(RawBSONDocument((len(body) + 4).to_bytes(4, "little") + body))
    [change] = read_exactly(source, start, count=1)
    assert unpack(next(Packer(stream="s", generation=1).messages(0, [change])).body).changes == (as_received(change),)
    assert change.full_document == {
        "_id": 1,
        "pointer": {"$dbPointer": {"$ref": "coll", "$id": f"{1:024x}"}},
        "code": {"$code": "x", "$scope": {"gone": {"$undefined": True}}},
    }


def test_document_deleted_before_its_lookup_is_absent(mongo: Mongo, fresh: str, server: Server) -> None:
    """The update still arrives, with the fields that it set if the server describes updates."""
    source = MongodbSource(mongo, Watch(database=fresh))
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 1})
    mongo[fresh].payments.update_one({"_id": 1}, {"$set": {"status": "cancelled"}})
    mongo[fresh].payments.delete_one({"_id": 1})
    update = read_exactly(source, start, count=3)[1]
    assert update.full_document is None
    if server.has("update_description", "absent"):
        with pytest.raises(Uncertain):
            as_received(update).became("status", "cancelled")
    else:
        assert as_received(update).became("status", "cancelled")


def test_batch_is_bounded_in_bytes(mongo: Mongo, fresh: str) -> None:
    """A reply of 12 MB arrives in several batches, each with its own checkpoint. A larger document is a batch alone."""
    source = MongodbSource(mongo, Watch(database=fresh, full_document="default"))
    start = source.first()
    mongo[fresh].payments.insert_many([{"pad": "x" * 1_000_000} for _ in range(12)])
    mongo[fresh].payments.insert_one({"pad": "x" * (BSON_LIMIT + 1)})
    sizes: list[int] = []
    with closing(source.batches(start)) as batches:
        while sum(sizes) < 13:
            batch = next(batches)
            sizes.append(len(batch.changes))
            if batch.changes:
                assert batch.checkpoint.sequence == batch.changes[-1].sequence
    assert max(sizes) <= BSON_LIMIT // 1_000_000


def test_start_in_the_past_begins_there(mongo: Mongo, fresh: str, server: Server) -> None:
    """``beginning`` is the oldest history, which DocumentDB does not report; a time is where the stream begins."""
    begun = int(time.time()) - 1
    mongo[fresh].payments.insert_one({"_id": 1})
    if server.documentdb:
        with pytest.raises(Misconfigured, match="DocumentDB has no oplog: give a time"):
            MongodbSource(mongo, Watch(database=fresh), "beginning").first()
    starts: list[Start] = [At(f"{begun}.1")] if server.documentdb else ["beginning", At("1.1")]
    for start in starts:
        source = MongodbSource(mongo, Watch(database=fresh), start)
        assert len(read_exactly(source, source.first(), count=1)) == 1


def test_every_first_start_is_a_new_generation(mongo: Mongo, fresh: str, server: Server) -> None:
    """It is the server's time, so a stream that lost its checkpoint starts above everything that it ever sent."""
    starts: list[Start] = ["now", At("1.1")] if server.documentdb else ["now", "beginning", At("1.1")]
    for start in starts:
        first = MongodbSource(mongo, Watch(database=fresh), start).first()
        assert first.generation >= mongo.admin.command("hello")["operationTime"].time - 5
        assert first.sequence == 0


def test_start_now_skips_everything_committed_before(mongo: Mongo, fresh: str) -> None:
    mongo[fresh].payments.insert_one({"_id": 1})
    source = MongodbSource(mongo, Watch(database=fresh))
    assert read_exactly(source, source.first(), count=0) == []


@pytest.mark.parametrize(
    ("watch", "words"),
    [
        (Watch(pipeline=[{"$nonsense": 1}]), "TAILER_PIPELINE"),
        (Watch(pipeline=[{"$project": {"ns": 0, "clusterTime": 0}}]), "TAILER_PIPELINE removes 'clusterTime'"),
        (Watch(full_document="sometimes"), "TAILER_FULL_DOCUMENT"),
        (Watch(pipeline=[{"$project": {"_id": 0}}]), "TAILER_PIPELINE"),
    ],
)
def test_refused_stream_names_its_setting(mongo: Mongo, fresh: str, watch: Watch, words: str) -> None:
    mongo[fresh].payments.insert_one({"_id": ObjectId()})
    source = MongodbSource(mongo, watch, At(f"{int(time.time()) - 1}.1"))
    with pytest.raises(Misconfigured, match=words):
        read_exactly(source, source.first(), count=1)


@pytest.mark.parametrize("token", ["01aaa", "82", "820000", "not a token", '{"x": 1}'])
def test_token_of_another_kind_is_lost_history(mongo: Mongo, fresh: str, token: str) -> None:
    """Neither a silent start from now nor an endless retry."""
    with pytest.raises(HistoryLost):
        next(iter(MongodbSource(mongo, Watch(database=fresh)).batches(Checkpoint(position=After(token, "1.1")))))


@pytest.mark.usefixtures("on_mongodb")
def test_too_large_event_arrives_without_its_document(mongo: Mongo, fresh: str) -> None:
    """The update description and the looked-up document exceed 16 MB together."""
    source = MongodbSource(mongo, Watch(database=fresh))
    mongo[fresh].payments.insert_one({"_id": 1, "pad": "x" * 9_000_000})
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 0})
    mongo[fresh].payments.update_one({"_id": 0}, {"$set": {"note": "small"}})
    mongo[fresh].payments.update_one({"_id": 1}, {"$set": {"pad": "y" * 9_000_000}})
    mongo[fresh].payments.insert_one({"_id": 2})
    _, before, large, after = read_exactly(source, start, count=4)
    assert before.full_document == {"_id": 0, "note": "small"}
    assert large.full_document is None
    assert large.update_description is not None
    assert len(large.update_description.updated_fields["pad"]) == 9_000_000
    assert (large.sequence, after.sequence, after.document_key) == (3, 4, {"_id": 2})


def call_before_second_cursor(monkeypatch: pytest.MonkeyPatch, before_second: Callable[[], object]) -> None:
    """Call a function between the first cursor, which the server fails, and the second, which reads events singly."""
    opened: list[Cursor] = []

    def cursor(*args: Any, **options: Any) -> Cursor:
        if len(opened) == 1:
            before_second()
        opened.append(Cursor(*args, **options))
        return opened[-1]

    monkeypatch.setattr("tailer.mongodb.source.Cursor", cursor)


def temporarily_too_large(mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch) -> tuple[MongodbSource, Checkpoint]:
    """A stream whose first change exceeds 16 MB together with its document, until the document is deleted."""
    source = MongodbSource(mongo, Watch(database=fresh))
    mongo[fresh].payments.insert_one({"_id": 1, "pad": "x" * 9_000_000})
    start = source.first()
    mongo[fresh].payments.update_one({"_id": 1}, {"$set": {"pad": "y" * 9_000_000}})
    call_before_second_cursor(monkeypatch, lambda: mongo[fresh].payments.delete_one({"_id": 1}))
    return source, start


def test_backlog_is_read_in_full_replies_after_a_large_event(mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The large document had shrunk when it was read alone, so events are read singly for no longer than one reply."""
    monkeypatch.setattr("tailer.mongodb.source.EVENTS_PER_REPLY", 20)
    source, start = temporarily_too_large(mongo, fresh, monkeypatch)
    mongo[fresh].payments.insert_many([{} for _ in range(100)])
    with closing(source.batches(start)) as batches:
        sizes = [len(batch.changes) for batch in islice(filter(lambda batch: batch.changes, batches), 22)]
    assert sizes[:20] == [1] * 20
    assert sizes[20:] == [20, 20]


@pytest.mark.usefixtures("on_mongodb")
def test_idle_stream_returns_to_full_replies(mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, start = temporarily_too_large(mongo, fresh, monkeypatch)
    with closing(source.batches(start)) as batches:
        last = until(batches, lambda batch: bool(batch.changes) and batch.changes[-1].operation_type == "delete").checkpoint
        mongo.admin.command("appendOplogNote", data={"time": "goes on"})
        until(batches, lambda batch: batch.checkpoint.position != last.position)
        mongo[fresh].payments.insert_many([{} for _ in range(100)])
        assert len(until(batches, lambda batch: bool(batch.changes)).changes) == 100


def test_scanning_server_without_tokens_is_not_reopened(mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its empty reply has no position to resume from: the scan would restart for ever."""
    opened: list[int] = []

    class WithoutTokens(Cursor):
        def __init__(self, *args: Any, events_per_reply: int, **options: Any) -> None:
            opened.append(events_per_reply)
            super().__init__(*args, events_per_reply=events_per_reply, **options)

        def batches(self) -> Generator[Batch]:
            if len(opened) == 1:
                raise OperationFailure("BSONObjectTooLarge", 10334)
            yield from (Batch(changes=batch.changes, checkpoint=start) for batch in super().batches())

    source = MongodbSource(mongo, Watch(database=fresh))
    start = source.first()
    monkeypatch.setattr("tailer.mongodb.source.Cursor", WithoutTokens)
    with closing(source.batches(start)) as batches:
        assert [next(batches).changes for _ in range(3)] == [[], [], []]
        mongo[fresh].payments.insert_one({"_id": 1})
        until(batches, lambda batch: bool(batch.changes))
    assert opened == [5000, 1]


@pytest.mark.usefixtures("on_mongodb")
def test_event_that_can_never_be_sent_is_a_stub(mongo: Mongo, fresh: str) -> None:
    """It exceeds 16 MB even without documents. The stub has its sequence, its key and a reason."""
    source = MongodbSource(mongo, Watch(database=fresh, pipeline=[{"$addFields": {"a": "$updateDescription"}}]))
    mongo[fresh].payments.insert_one({"_id": 1})
    start = source.first()
    mongo[fresh].payments.update_one({"_id": 1}, {"$set": {"pad": "y" * 9_000_000}})
    mongo[fresh].payments.insert_one({"_id": 2})
    stub, after = read_exactly(source, start, count=2)
    assert stub.poison is not None
    assert "16 MB" in stub.poison.reason
    assert (stub.sequence, stub.operation_type, stub.document_key, after.sequence) == (1, "update", {"_id": 1}, 2)


def test_no_cursor_is_left_on_the_server(mongo: Mongo, fresh: str) -> None:
    source = MongodbSource(mongo, Watch(database=fresh))
    idle: list[dict[str, Any]] = [
        {"$currentOp": {"idleCursors": True}},
        {"$match": {"cursor.originatingCommand.aggregate": 1}},
        {"$match": {"ns": f"{fresh}.$cmd.aggregate"}},
    ]
    with closing(source.batches(source.first())) as batches:
        next(batches)
        assert len(list(mongo.admin.aggregate(idle))) == 1
    assert list(mongo.admin.aggregate(idle)) == []
