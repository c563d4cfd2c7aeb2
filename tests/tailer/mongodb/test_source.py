"""A real change stream: complete, in order, numbered the same on every replay, and alive while nothing happens."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

import pytest
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tailer.aws.packing import Packer
from tailer.errors import HistoryLost, Misconfigured
from tailer.model import Batch, Checkpoint
from tailer.mongodb.cursor import Cursor
from tailer.mongodb.runs import BSON
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailrace.message import unpack
from tailrace.wire.change import Change, Namespace
from tests.asked import asked

Mongo = MongoClient[dict[str, Any]]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty reply after 50 ms rather than a second."""
    monkeypatch.setattr("tailer.mongodb.cursor._MORE", {"batchSize": 5000, "maxTimeMS": 50})


def read(source: MongodbSource, after: Checkpoint, *, count: int) -> list[Change]:
    """The next so many changes, and a moment longer to see that there are no more."""
    changes: list[Change] = []
    with closing(source.batches(after)) as batches:
        for batch in batches:
            changes += batch.changes
            if len(changes) >= count and not batch.changes:
                return changes
    raise AssertionError("a stream does not end")


def until(batches: Iterator[Batch], seen: Callable[[Batch], bool]) -> Batch:
    return next(batch for batch in batches if seen(batch))


def test_every_operation_arrives_in_order(mongo: Mongo, fresh: str) -> None:
    """Insert, update, replace, delete and a transaction, numbered from one."""
    source = MongodbSource(mongo, Watch(database=fresh, collections=("payments",)))
    start, payments = source.first(), mongo[fresh].payments
    payments.insert_one({"_id": 1, "status": "created", "note": "x"})
    payments.update_one({"_id": 1}, {"$set": {"status": "cancelled"}, "$unset": {"note": 1}})
    payments.replace_one({"_id": 1}, {"status": "refunded"})
    with mongo.start_session() as session, session.start_transaction():
        payments.delete_one({"_id": 1}, session=session)
        payments.insert_one({"_id": 2}, session=session)
    changes = read(source, start, count=5)
    assert [change.operation_type for change in changes] == ["insert", "update", "replace", "delete", "insert"]
    assert [change.sequence for change in changes] == [1, 2, 3, 4, 5]
    assert [change.document_key["_id"] for change in changes] == [1, 1, 1, 1, 2]
    update = changes[1].update_description
    assert update is not None
    assert (update.updated_fields, update.removed_fields) == ({"status": "cancelled"}, ["note"])
    assert changes[3].full_document is None
    assert changes[3].txn == changes[4].txn is not None
    assert changes[0].txn is None


def test_a_rename_says_where_to(mongo: Mongo, fresh: str) -> None:
    """Whoever watches the database can follow the documents to their collection's new name."""
    source = MongodbSource(mongo, Watch(database=fresh))
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 1})
    mongo[fresh].payments.rename("archive")
    insert, rename = read(source, start, count=2)
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
def test_a_required_image_that_is_not_kept_is_a_wrong_setting(mongo: Mongo, fresh: str, field: str, setting: str) -> None:
    """No waiting brings it back, nor does collMod from now on: the way out is named, and it leads out."""
    images: dict[str, Any] = {field: "required"}
    required = MongodbSource(mongo, Watch(database=fresh, **images))
    start = required.first()
    mongo[fresh].payments.insert_one({"_id": 1})
    mongo[fresh].payments.update_one({"_id": 1}, {"$set": {"status": "cancelled"}})
    mongo[fresh].command("collMod", "payments", changeStreamPreAndPostImages={"enabled": True})
    with pytest.raises(Misconfigured, match=f"{setting}=required.*set it to whenAvailable"):
        read(required, start, count=2)
    images[field] = "whenAvailable"
    there = MongodbSource(mongo, Watch(database=fresh, **images))
    assert [change.sequence for change in read(there, start, count=2)][:2] == [1, 2]


def test_a_replay_from_any_position_gives_the_same_changes(mongo: Mongo, fresh: str) -> None:
    """Resumed after each change in turn, the rest comes with the same ids and numbers."""
    source = MongodbSource(mongo, Watch(database=fresh))
    start = source.first()
    mongo[fresh].payments.insert_many([{"_id": number} for number in range(20)])
    changes = read(source, start, count=20)
    for done, change in enumerate(changes[:-1], 1):
        position = Checkpoint(sequence=change.sequence, token=change.id, cluster_time=change.cluster_time)
        assert read(source, position, count=20 - done) == changes[done:]


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
def test_it_sees_what_it_watches(mongo: Mongo, fresh: str, watch: Callable[[str], Watch], expected: list[str]) -> None:
    """No more and no less."""
    source = MongodbSource(mongo, watch(fresh))
    start = source.first()
    for collection in ("a", "b", "c"):
        mongo[fresh][collection].insert_one({})
    assert [change.ns.coll for change in read(source, start, count=len(expected))] == expected


def test_a_cluster_wide_stream_does_not_see_its_own_checkpoints(mongo: Mongo, fresh: str) -> None:
    """It would never come to rest."""
    source = MongodbSource(mongo, Watch(but_not="tailrace"))
    start = source.first()
    mongo.tailrace.checkpoints.insert_one({})
    mongo[fresh].a.insert_one({})
    assert [change.ns.db for change in read(source, start, count=1)] == [fresh]


def test_a_collection_may_come_later(mongo: Mongo, fresh: str) -> None:
    """Watching what does not exist yet is no error; its first document arrives."""
    source = MongodbSource(mongo, Watch(database=fresh, collections=("later",)))
    with closing(source.batches(source.first())) as batches:
        assert next(batches).changes == []
        mongo[fresh].later.insert_one({"_id": 1})
        assert until(batches, lambda batch: bool(batch.changes)).changes[0].document_key == {"_id": 1}


def test_the_position_moves_while_nothing_matches(mongo: Mongo, fresh: str) -> None:
    """Other collections churn; the idle stream's token goes on, so that it never ages out."""
    source = MongodbSource(mongo, Watch(database=fresh, collections=("quiet",)))
    with closing(source.batches(source.first())) as batches:
        before = next(batches).checkpoint
        mongo[fresh].noisy.insert_many([{} for _ in range(10)])
        moved = until(batches, lambda batch: batch.checkpoint.token != before.token)
    assert moved.changes == []
    assert moved.checkpoint.sequence == 0
    mongo[fresh].quiet.insert_one({"_id": 1})
    assert read(source, moved.checkpoint, count=1)[0].sequence == 1


def test_a_dropped_collection_is_watched_on(mongo: Mongo, fresh: str) -> None:
    """The drop is a change; what comes after it in a collection of the same name is seen, numbered on."""
    source = MongodbSource(mongo, Watch(database=fresh, collections=("payments",)))
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 1})
    mongo[fresh].payments.drop()
    mongo[fresh].payments.insert_one({"_id": 2})
    changes = read(source, start, count=3)
    assert [(change.operation_type, change.sequence) for change in changes] == [("insert", 1), ("drop", 2), ("insert", 3)]


@pytest.mark.parametrize(
    ("watch", "gone"),
    [
        (lambda db: Watch(database=db, collections=("a",), pipeline=[{"$match": {"operationType": "insert"}}]), "collection"),
        (lambda db: Watch(database=db, collections=("a", "b")), "database"),
        (lambda db: Watch(database=db, pipeline=[{"$match": {"operationType": "insert"}}]), "database"),
    ],
)
def test_a_filtered_stream_also_hears_that_what_it_watched_is_gone(
    mongo: Mongo, fresh: str, watch: Callable[[str], Watch], gone: str
) -> None:
    """A $match that does not think of it must not leave a position that cannot be resumed."""
    source = MongodbSource(mongo, watch(fresh))
    start = source.first()
    mongo[fresh].a.insert_one({"_id": 1})
    if gone == "database":
        mongo.drop_database(fresh)
    else:
        mongo[fresh].a.drop()
    mongo[fresh].a.insert_one({"_id": 2})
    inserts = [change for change in read(source, start, count=2) if change.operation_type == "insert"]
    while len(inserts) < 2:
        last = Checkpoint(sequence=inserts[-1].sequence, token=inserts[-1].id, cluster_time=inserts[-1].cluster_time)
        inserts += [change for change in read(source, last, count=1) if change.operation_type == "insert"]
    assert [change.document_key["_id"] for change in inserts] == [1, 2]


def test_the_position_after_a_drop_can_be_resumed(mongo: Mongo, fresh: str) -> None:
    """A task that stops right there goes on behind it, without a repeat."""
    source = MongodbSource(mongo, Watch(database=fresh, collections=("payments",)))
    with closing(source.batches(source.first())) as batches:
        mongo[fresh].payments.insert_one({"_id": 1})
        mongo[fresh].payments.drop()
        dropped = until(batches, lambda batch: bool(batch.changes) and batch.changes[-1].operation_type == "drop")
    mongo[fresh].payments.insert_one({"_id": 2})
    assert [change.document_key for change in read(source, dropped.checkpoint, count=1)] == [{"_id": 2}]


def test_pre_images_come_where_the_server_has_them(mongo: Mongo, fresh: str) -> None:
    """The document as it was before the change."""
    mongo[fresh].create_collection("payments", changeStreamPreAndPostImages={"enabled": True})
    source = MongodbSource(mongo, Watch(database=fresh, full_document_before_change="whenAvailable"))
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 1, "status": "created"})
    mongo[fresh].payments.delete_one({"_id": 1})
    assert read(source, start, count=2)[1].full_document_before_change == {"_id": 1, "status": "created"}


def test_what_no_driver_writes_any_more_does_not_stop_the_stream(mongo: Mongo, fresh: str) -> None:
    """Old data: a DBPointer and undefined within a code's scope, as the server stores and sends them."""
    source = MongodbSource(mongo, Watch(database=fresh))
    start = source.first()
    pointer = b"\x0cpointer\0\5\0\0\0coll\0" + bytes(11) + b"\1"
    code = b"\x0fcode\0\x15\0\0\0\2\0\0\0x\0\x0b\0\0\0\6gone\0\0"
    body = b"\x10_id\0\1\0\0\0" + pointer + code + b"\0"
    mongo[fresh].payments.insert_one(RawBSONDocument((len(body) + 4).to_bytes(4, "little") + body))
    [change] = read(source, start, count=1)
    assert unpack(next(Packer(stream="s", generation=1).messages(0, [change])).body).changes == (asked(change),)
    assert change.full_document == {
        "_id": 1,
        "pointer": {"$dbPointer": {"$ref": "coll", "$id": f"{1:024x}"}},
        "code": {"$code": "x", "$scope": {"gone": {"$undefined": True}}},
    }


def test_a_document_gone_before_its_lookup_is_absent(mongo: Mongo, fresh: str) -> None:
    """The update is still a change; what it set is known."""
    source = MongodbSource(mongo, Watch(database=fresh))
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 1})
    mongo[fresh].payments.update_one({"_id": 1}, {"$set": {"status": "cancelled"}})
    mongo[fresh].payments.delete_one({"_id": 1})
    update = read(source, start, count=3)[1]
    assert update.full_document is None
    assert asked(update).became("status", "cancelled")


def test_a_batch_is_bounded_in_bytes(mongo: Mongo, fresh: str) -> None:
    """A reply of 12 MB comes in several batches, each with its own checkpoint; a larger document is a batch alone."""
    source = MongodbSource(mongo, Watch(database=fresh, full_document="default"))
    start = source.first()
    mongo[fresh].payments.insert_many([{"pad": "x" * 1_000_000} for _ in range(12)])
    mongo[fresh].payments.insert_one({"pad": "x" * (BSON + 1)})
    sizes: list[int] = []
    with closing(source.batches(start)) as batches:
        while sum(sizes) < 13:
            batch = next(batches)
            sizes.append(len(batch.changes))
            if batch.changes:
                assert batch.checkpoint.sequence == batch.changes[-1].sequence
    assert max(sizes) <= BSON // 1_000_000


def test_a_start_in_the_past_is_honoured(mongo: Mongo, fresh: str) -> None:
    """``beginning`` is the oldest history there is; a time is where it begins."""
    mongo[fresh].payments.insert_one({"_id": 1})
    for start in ("beginning", "1.1"):
        source = MongodbSource(mongo, Watch(database=fresh), start)
        assert len(read(source, source.first(), count=1)) == 1


def test_every_first_start_is_a_new_generation(mongo: Mongo, fresh: str) -> None:
    """The server's time: a stream whose checkpoint was lost starts above everything it ever sent."""
    for start in ("now", "beginning", "1.1"):
        first = MongodbSource(mongo, Watch(database=fresh), start).first()
        assert first.generation >= mongo.admin.command("hello")["operationTime"].time - 5
        assert first.sequence == 0


def test_now_is_after_everything_that_was_committed(mongo: Mongo, fresh: str) -> None:
    """A first start does not announce the past."""
    mongo[fresh].payments.insert_one({"_id": 1})
    source = MongodbSource(mongo, Watch(database=fresh))
    assert read(source, source.first(), count=0) == []


@pytest.mark.parametrize(
    ("watch", "words"),
    [
        (Watch(pipeline=[{"$nonsense": 1}]), "TAILER_PIPELINE"),
        (Watch(pipeline=[{"$project": {"ns": 0, "clusterTime": 0}}]), "TAILER_PIPELINE removes 'clusterTime'"),
        (Watch(full_document="sometimes"), "TAILER_FULL_DOCUMENT"),
        (Watch(pipeline=[{"$project": {"_id": 0}}]), "TAILER_PIPELINE"),
    ],
)
def test_a_stream_the_server_refuses_names_the_setting(mongo: Mongo, fresh: str, watch: Watch, words: str) -> None:
    """A wrong pipeline is a wrong setting, not an outage."""
    mongo[fresh].payments.insert_one({"_id": ObjectId()})
    source = MongodbSource(mongo, watch, "beginning")
    with pytest.raises(Misconfigured, match=words):
        read(source, source.first(), count=1)


@pytest.mark.parametrize("token", ["01aaa", "82", "820000", "not a token", '{"x": 1}'])
def test_a_token_of_another_kind_is_history_lost(mongo: Mongo, fresh: str, token: str) -> None:
    """Never a silent start from now, never an endless retry."""
    with pytest.raises(HistoryLost):
        next(iter(MongodbSource(mongo, Watch(database=fresh)).batches(Checkpoint(token=token, cluster_time="1.1"))))


def test_an_event_too_large_for_the_server_goes_on_without_its_document(mongo: Mongo, fresh: str) -> None:
    """The update description and the looked-up document together pass 16 MB: the change itself is still delivered."""
    source = MongodbSource(mongo, Watch(database=fresh))
    mongo[fresh].payments.insert_one({"_id": 1, "pad": "x" * 9_000_000})
    start = source.first()
    mongo[fresh].payments.insert_one({"_id": 0})
    mongo[fresh].payments.update_one({"_id": 0}, {"$set": {"note": "small"}})
    mongo[fresh].payments.update_one({"_id": 1}, {"$set": {"pad": "y" * 9_000_000}})
    mongo[fresh].payments.insert_one({"_id": 2})
    _, before, large, after = read(source, start, count=4)
    assert before.full_document == {"_id": 0, "note": "small"}
    assert large.full_document is None
    assert large.update_description is not None
    assert len(large.update_description.updated_fields["pad"]) == 9_000_000
    assert (large.sequence, after.sequence, after.document_key) == (3, 4, {"_id": 2})


def opened_anew(monkeypatch: pytest.MonkeyPatch, before_second: Callable[[], object]) -> None:
    """Something happens between the first cursor, which the server fails, and the second, which reads one by one."""
    opened: list[Cursor] = []

    def cursor(*args: Any, **options: Any) -> Cursor:
        if len(opened) == 1:
            before_second()
        opened.append(Cursor(*args, **options))
        return opened[-1]

    monkeypatch.setattr("tailer.mongodb.source.Cursor", cursor)


def too_large_for_a_moment(mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch) -> tuple[MongodbSource, Checkpoint]:
    """A stream whose first change passes 16 MB together with its document, until the document is gone."""
    source = MongodbSource(mongo, Watch(database=fresh))
    mongo[fresh].payments.insert_one({"_id": 1, "pad": "x" * 9_000_000})
    start = source.first()
    mongo[fresh].payments.update_one({"_id": 1}, {"$set": {"pad": "y" * 9_000_000}})
    opened_anew(monkeypatch, lambda: mongo[fresh].payments.delete_one({"_id": 1}))
    return source, start


def test_a_backlog_is_read_by_thousands_again_once_the_large_event_is_passed(
    mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its document had shrunk when it was read alone, so nothing failed: one by one lasts no longer than one reply would."""
    monkeypatch.setattr("tailer.mongodb.source.EVENTS_PER_REPLY", 20)
    source, start = too_large_for_a_moment(mongo, fresh, monkeypatch)
    mongo[fresh].payments.insert_many([{} for _ in range(100)])
    with closing(source.batches(start)) as batches:
        sizes = [len(next(batches).changes) for _ in range(22)]
    assert sizes[:20] == [1] * 20
    assert sizes[20:] == [20, 20]


def test_an_idle_stream_reads_by_thousands_again(mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is left to read, what comes next is read as ever."""
    source, start = too_large_for_a_moment(mongo, fresh, monkeypatch)
    with closing(source.batches(start)) as batches:
        last = until(batches, lambda batch: bool(batch.changes) and batch.changes[-1].operation_type == "delete").checkpoint
        mongo.admin.command("appendOplogNote", data={"time": "goes on"})
        until(batches, lambda batch: batch.checkpoint.token != last.token)
        mongo[fresh].payments.insert_many([{} for _ in range(100)])
        assert len(until(batches, lambda batch: bool(batch.changes)).changes) == 100


def test_a_server_that_is_still_looking_is_not_asked_anew(mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token of its own an empty reply leaves no position to go on from: the search would begin again, for ever."""
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


def test_an_event_that_the_server_can_never_send_is_a_stub(mongo: Mongo, fresh: str) -> None:
    """Even bare it passes 16 MB: it has its number and its key, says why, and is not tried for ever."""
    source = MongodbSource(mongo, Watch(database=fresh, pipeline=[{"$addFields": {"a": "$updateDescription"}}]))
    mongo[fresh].payments.insert_one({"_id": 1})
    start = source.first()
    mongo[fresh].payments.update_one({"_id": 1}, {"$set": {"pad": "y" * 9_000_000}})
    mongo[fresh].payments.insert_one({"_id": 2})
    stub, after = read(source, start, count=2)
    assert stub.poison is not None
    assert "16 MB" in stub.poison.reason
    assert (stub.sequence, stub.operation_type, stub.document_key, after.sequence) == (1, "update", {"_id": 1}, 2)


def test_no_cursor_is_left_behind(mongo: Mongo, fresh: str) -> None:
    """Closing the stream closes its cursor on the server."""
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
