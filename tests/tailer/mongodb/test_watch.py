"""What a stream watches: each operation is reported the same, whether a collection, a database or a cluster is watched."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from pymongo import MongoClient

from tailer.model import Checkpoint
from tailer.mongodb.scopes import Scope, refusal, scopes, short
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
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


def swap_collections(mongo: Mongo, db: str) -> None:
    mongo[db].staged.insert_one({"_id": "new"})
    mongo[db][WATCHED].rename("retired")
    mongo[db].staged.rename(WATCHED)


def aggregate_out(mongo: Mongo, db: str) -> None:
    mongo[db].source.insert_one({"_id": "new"})
    list(mongo[db].source.aggregate([{"$out": WATCHED}]))


def rename_onto(mongo: Mongo, db: str) -> None:
    mongo[db].staged.insert_one({"_id": "new"})
    mongo[db].staged.rename(WATCHED, dropTarget=True)


OPERATIONS: dict[str, Operation] = {
    "insert": (lambda mongo, db: mongo[db][WATCHED].insert_one({"_id": 1}), [("insert", WATCHED, "")]),
    "update": (lambda mongo, db: mongo[db][WATCHED].update_one({"_id": 0}, {"$set": {"a": 1}}), [("update", WATCHED, "")]),
    "replace": (lambda mongo, db: mongo[db][WATCHED].replace_one({"_id": 0}, {"a": 1}), [("replace", WATCHED, "")]),
    "delete": (lambda mongo, db: mongo[db][WATCHED].delete_one({"_id": 0}), [("delete", WATCHED, "")]),
    "rename from": (lambda mongo, db: mongo[db][WATCHED].rename("retired"), [("rename", WATCHED, "retired")]),
    "rename onto": (rename_onto, [("rename", "staged", WATCHED)]),
    "rename swap": (swap_collections, [("rename", WATCHED, "retired"), ("rename", "staged", WATCHED)]),
    "$out": (aggregate_out, [("rename", "tmp", WATCHED)]),
    "drop": (lambda mongo, db: mongo[db].drop_collection(WATCHED), [("drop", WATCHED, "")]),
    "dropDatabase": (lambda mongo, db: mongo.drop_database(db), [("drop", WATCHED, "")]),
}


@pytest.fixture
def database(mongo: Mongo, fresh: str) -> Iterator[str]:
    """A database with a document in the watched collection."""
    mongo[fresh][WATCHED].insert_one({"_id": 0})
    yield fresh
    for name in (fresh, f"{fresh}-b"):
        mongo.drop_database(name)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_operation_is_reported_the_same_for_every_scope(mongo: Mongo, database: str, shape: str, operation: str) -> None:
    """With the names before and after. Later changes in a collection with the watched name follow."""
    done, expected = OPERATIONS[operation]
    name, collections = SHAPES[shape](database)
    source = MongodbSource(mongo, Watch(database=name, collections=collections))
    start = source.first()
    done(mongo, database)
    mongo[database].unwatched.insert_one({"_id": "unwatched"})
    mongo[database][WATCHED].insert_one({"_id": "last"})
    changes = read_until_last(source, start)
    assert [change.sequence for change in changes] == list(range(1, len(changes) + 1))
    about = [summary(change) for change in changes if WATCHED in (change.ns.coll, change.to.coll if change.to else "")]
    assert about == [*expected, ("insert", WATCHED, "")]
    if collections and not any(one.endswith("*") for one in collections):
        assert len(about) == len(changes), "something that is not watched was told"


@pytest.mark.parametrize(("shape", "expected"), [("several databases", 0), ("several whole databases", 1), ("a database", 1)])
def test_dropped_database_is_reported_where_all_of_it_is_watched(
    mongo: Mongo, database: str, shape: str, expected: int
) -> None:
    """A watched collection reports only its drop."""
    name, collections = SHAPES[shape](database)
    source = MongodbSource(mongo, Watch(database=name, collections=collections))
    start = source.first()
    mongo.drop_database(database)
    mongo[database][WATCHED].insert_one({"_id": "last"})
    kinds = [change.operation_type for change in read_until_last(source, start)]
    assert kinds.count("dropDatabase") == expected


def test_collection_in_every_database_excludes_our_own(mongo: Mongo, database: str) -> None:
    """The database of the checkpoints stays hidden."""
    source = MongodbSource(mongo, Watch(collections=(WATCHED,), but_not=f"{database}-b"))
    start = source.first()
    mongo[f"{database}-b"][WATCHED].insert_one({"_id": "hidden"})
    mongo[database][WATCHED].insert_one({"_id": "last"})
    assert [change.document_key["_id"] for change in read_until_last(source, start)] == ["last"]


def test_watch_uses_only_stages_that_documentdb_supports() -> None:
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
def test_watched_name_has_one_meaning(database: str, collections: tuple[str, ...], expected: list[str]) -> None:
    """Within a database, dots belong to the collection. Within a cluster, the first dot ends the database's name."""
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
def test_stream_is_opened_on_the_narrowest_scope(database: str, collections: tuple[str, ...], target: str) -> None:
    """It needs the fewest rights."""
    watch = Watch(database=database, collections=collections)
    summary = watch.target
    assert (str(summary) if summary != Scope("", "") else "*") == target
    assert watch.command({})["aggregate"] == (summary.collection or 1)


@pytest.mark.parametrize(
    ("database", "collections", "words"),
    [
        ("tailrace", (), "no stream may watch tailrace, "),
        ("*", ("tailrace.checkpoints",), "no stream may watch tailrace, "),
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
def test_unwatchable_name_is_refused(database: str, collections: tuple[str, ...], words: str) -> None:
    assert re.search(words, refusal(database, collections))


def test_watched_names_keep_the_form_stored_in_checkpoints() -> None:
    """Names with the same meaning have the same form."""
    assert short("shop", ("orders", "fs.files", "orders")) == ("orders", "fs.files", "orders")
    assert short("shop", ("shop.orders",)) == short("shop", ("orders",))
    assert short("*", ("shop.orders", "*.loans")) == ("shop.orders", "loans")
    assert short("shop", ("*",)) == short("*", ("shop.orders", "*")) == ()


def read_until_last(source: MongodbSource, start: Checkpoint) -> list[Change]:
    """Return the changes up to the change of the document ``last``."""
    changes: list[Change] = []
    with closing(source.batches(start)) as batches:
        while not changes or changes[-1].document_key.get("_id") != "last":
            changes += next(batches).changes
    return changes


def summary(change: Change) -> tuple[str, str, str]:
    before = "tmp" if change.ns.coll.startswith("tmp.agg_out") else change.ns.coll
    return change.operation_type, before, change.to.coll if change.to else ""
