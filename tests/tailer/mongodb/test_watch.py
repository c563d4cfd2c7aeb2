"""What a stream watches: each operation is told the same, whatever the shape of the stream that watches its collection."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from pymongo import MongoClient

from tailer.model import Checkpoint
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Scope, Watch, refusal, scopes, short
from tailrace.wire.change import Change

Mongo = MongoClient[dict[str, Any]]

WATCHED, OTHER = "orders", "refunds"

SHAPES: dict[str, Callable[[str], tuple[str, tuple[str, ...]]]] = {
    "one collection": lambda db: (db, (WATCHED,)),
    "one collection, with its database": lambda db: (db, (f"{db}.{WATCHED}",)),
    "one collection of the cluster": lambda db: ("*", (f"{db}.{WATCHED}",)),
    "several collections": lambda db: (db, (WATCHED, OTHER)),
    "several collections of the cluster, of one database": lambda db: ("*", (f"{db}.{WATCHED}", f"{db}.{OTHER}")),
    "several databases": lambda db: ("*", (f"{db}.{WATCHED}", f"{db}-b.{WATCHED}", f"{db}-b.{OTHER}")),
    "that collection in every database": lambda db: ("*", (WATCHED,)),
    "several collections in every database": lambda db: ("*", (WATCHED, OTHER)),
    "a database and a collection": lambda db: ("*", (f"{db}-b.*", f"{db}.{WATCHED}")),
    "a database": lambda db: (db, ()),
    "a database of the cluster": lambda db: ("*", (f"{db}.*",)),
    "several whole databases": lambda db: ("*", (f"{db}.*", f"{db}-b.*")),
    "the whole cluster": lambda db: ("*", ()),
}

Operation = tuple[Callable[[Mongo, str], object], list[tuple[str, str, str]]]
"""What is done, and what is told of it: operation, name before, name after."""


def swap(mongo: Mongo, db: str) -> None:
    mongo[db].staged.insert_one({"_id": "new"})
    mongo[db][WATCHED].rename("retired")
    mongo[db].staged.rename(WATCHED)


def out(mongo: Mongo, db: str) -> None:
    mongo[db].source.insert_one({"_id": "new"})
    list(mongo[db].source.aggregate([{"$out": WATCHED}]))


def onto(mongo: Mongo, db: str) -> None:
    mongo[db].staged.insert_one({"_id": "new"})
    mongo[db].staged.rename(WATCHED, dropTarget=True)


OPERATIONS: dict[str, Operation] = {
    "insert": (lambda mongo, db: mongo[db][WATCHED].insert_one({"_id": 1}), [("insert", WATCHED, "")]),
    "update": (lambda mongo, db: mongo[db][WATCHED].update_one({"_id": 0}, {"$set": {"a": 1}}), [("update", WATCHED, "")]),
    "replace": (lambda mongo, db: mongo[db][WATCHED].replace_one({"_id": 0}, {"a": 1}), [("replace", WATCHED, "")]),
    "delete": (lambda mongo, db: mongo[db][WATCHED].delete_one({"_id": 0}), [("delete", WATCHED, "")]),
    "rename from": (lambda mongo, db: mongo[db][WATCHED].rename("retired"), [("rename", WATCHED, "retired")]),
    "rename onto": (onto, [("rename", "staged", WATCHED)]),
    "rename swap": (swap, [("rename", WATCHED, "retired"), ("rename", "staged", WATCHED)]),
    "$out": (out, [("rename", "tmp", WATCHED)]),
    "drop": (lambda mongo, db: mongo[db].drop_collection(WATCHED), [("drop", WATCHED, "")]),
    "dropDatabase": (lambda mongo, db: mongo.drop_database(db), [("drop", WATCHED, "")]),
}


@pytest.fixture
def database(mongo: Mongo, fresh: str) -> Iterator[str]:
    """With a document in the watched collection."""
    mongo[fresh][WATCHED].insert_one({"_id": 0})
    yield fresh
    for name in (fresh, f"{fresh}-b"):
        mongo.drop_database(name)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_an_operation_is_told_the_same_whatever_shape_watches_it(
    mongo: Mongo, database: str, shape: str, operation: str
) -> None:
    """With the names before and after; what follows in a collection of the watched name is told too, numbered on."""
    done, expected = OPERATIONS[operation]
    name, collections = SHAPES[shape](database)
    source = MongodbSource(mongo, Watch(database=name, collections=collections))
    start = source.first()
    done(mongo, database)
    mongo[database].unwatched.insert_one({"_id": "unwatched"})
    mongo[database][WATCHED].insert_one({"_id": "last"})
    changes = read_until_last(source, start)
    assert [change.sequence for change in changes] == list(range(1, len(changes) + 1))
    about = [told(change) for change in changes if WATCHED in (change.ns.coll, change.to.coll if change.to else "")]
    assert about == [*expected, ("insert", WATCHED, "")]
    if collections and not any(one.endswith("*") for one in collections):
        assert len(about) == len(changes), "something that is not watched was told"


@pytest.mark.parametrize(("shape", "expected"), [("several databases", 0), ("several whole databases", 1), ("a database", 1)])
def test_a_dropped_database_is_told_where_all_of_it_is_watched(mongo: Mongo, database: str, shape: str, expected: int) -> None:
    """Of a collection it is the drop that is told."""
    name, collections = SHAPES[shape](database)
    source = MongodbSource(mongo, Watch(database=name, collections=collections))
    start = source.first()
    mongo.drop_database(database)
    mongo[database][WATCHED].insert_one({"_id": "last"})
    kinds = [change.operation_type for change in read_until_last(source, start)]
    assert kinds.count("dropDatabase") == expected


def test_a_collection_in_every_database_is_not_watched_in_our_own(mongo: Mongo, database: str) -> None:
    """The checkpoints' database stays hidden, and other databases do not."""
    source = MongodbSource(mongo, Watch(collections=(WATCHED,), but_not=f"{database}-b"))
    start = source.first()
    mongo[f"{database}-b"][WATCHED].insert_one({"_id": "hidden"})
    mongo[database][WATCHED].insert_one({"_id": "last"})
    assert [change.document_key["_id"] for change in read_until_last(source, start)] == ["last"]


def test_only_stages_that_documentdb_has_are_used() -> None:
    """A ``$match``, whatever is watched."""
    for shape in SHAPES.values():
        database, collections = shape("shop")
        stages = Watch(database=database, collections=collections, but_not="tailrace").command({})["pipeline"]
        assert {next(iter(stage)) for stage in stages[1:]} <= {"$match"}


@pytest.mark.parametrize(
    ("database", "collections", "expected"),
    [
        ("shop", (), ["shop.*"]),
        ("shop", ("*", "orders"), ["shop.*"]),
        ("shop", ("orders", "refunds", "orders"), ["shop.orders", "shop.refunds"]),
        ("shop", ("shop.orders",), ["shop.orders"]),
        ("shop", ("shop.shop.orders",), ["shop.shop.orders"]),
        ("shop", ("fs.files",), ["shop.fs.files"]),
        ("*", (), ["*"]),
        ("*", ("*",), ["*"]),
        ("*", ("*.*",), ["*"]),
        ("*", ("orders",), ["*.orders"]),
        ("*", ("*.orders",), ["*.orders"]),
        ("*", ("shop.fs.files", "shop.*", "bank.loans"), ["bank.loans", "shop.*"]),
        ("*", ("orders", "shop.orders"), ["*.orders"]),
    ],
)
def test_names_mean_one_thing(database: str, collections: tuple[str, ...], expected: list[str]) -> None:
    """Dots belong to the collection within a database, and end the database's name within the cluster."""
    assert [str(scope) for scope in scopes(database, collections)] == expected


@pytest.mark.parametrize(
    ("database", "collections", "target"),
    [
        ("shop", (), "shop.*"),
        ("shop", ("orders",), "shop.orders"),
        ("shop", ("orders", "refunds"), "shop.*"),
        ("*", ("shop.orders",), "shop.orders"),
        ("*", ("shop.orders", "shop.refunds"), "shop.*"),
        ("*", ("shop.orders", "bank.loans"), "*"),
        ("*", ("orders",), "*"),
        ("*", (), "*"),
    ],
)
def test_a_stream_is_opened_on_the_narrowest_that_holds_all_of_it(
    database: str, collections: tuple[str, ...], target: str
) -> None:
    """Which is also the right that it takes."""
    watch = Watch(database=database, collections=collections)
    told = watch.target
    assert (str(told) if told != Scope("", "") else "*") == target
    assert watch.command({})["aggregate"] == (told.collection or 1)


@pytest.mark.parametrize(
    ("database", "collections", "words"),
    [
        ("tailrace", (), "no stream may watch .*, tailrace"),
        ("*", ("tailrace.checkpoints",), "no stream may watch .*, tailrace"),
        ("admin", (), "the server's own database"),
        ("*", ("local.oplog.rs",), "the server's own database"),
        ("*", ("shop.orders", "config.*"), "the server's own database"),
        ("shop.orders", (), "'.' cannot be in one"),
        ("shop,bank", (), "set TAILER_DATABASE to \\*"),
        ("*", ("sh$op.orders",), "'\\$' cannot be in one$"),
        ("shop", ("system.views",), "the server's own collection"),
        ("*", ("shop.system.profile",), "the server's own collection"),
        ("shop", ("or$ders",), "not the name of a collection"),
        ("shop", (".orders",), "not the name of a collection"),
        ("shop", ("shop.",), "not the name of a collection"),
        ("*", ("shop.",), "not the name of a collection"),
        ("*", (".orders",), "not the name of a collection"),
        ("shop", ("",), "not the name of a collection"),
    ],
)
def test_what_no_stream_can_watch_is_refused_by_its_name(database: str, collections: tuple[str, ...], words: str) -> None:
    """Before anything is touched."""
    assert re.search(words, refusal(database, collections))


def test_names_keep_the_form_that_checkpoints_know() -> None:
    """As they were always written; the same meaning said in other words is the same."""
    assert short("shop", ("orders", "fs.files", "orders")) == ("orders", "fs.files", "orders")
    assert short("shop", ("shop.orders",)) == short("shop", ("orders",))
    assert short("*", ("shop.orders", "*.loans")) == ("shop.orders", "loans")
    assert short("shop", ("*",)) == short("*", ("shop.orders", "*")) == ()


def read_until_last(source: MongodbSource, start: Checkpoint) -> list[Change]:
    """The changes up to the one of the document ``last``."""
    changes: list[Change] = []
    with closing(source.batches(start)) as batches:
        while not changes or changes[-1].document_key.get("_id") != "last":
            changes += next(batches).changes
    return changes


def told(change: Change) -> tuple[str, str, str]:
    before = "tmp" if change.ns.coll.startswith("tmp.agg_out") else change.ns.coll
    return change.operation_type, before, change.to.coll if change.to else ""
