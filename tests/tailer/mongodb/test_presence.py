"""What is watched by name is looked at: there or not, of a kind that has changes, and what may have been meant."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tailer.mongodb.presence import Presence, presence
from tailer.mongodb.watch import Watch
from tests.documentdb import DocumentdbDialect
from tests.tailer.doctor.servers import with_users

Mongo = MongoClient[dict[str, Any]]
Names = tuple[str, tuple[str, ...]]


@pytest.fixture(autouse=True)
def every_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests leave databases behind: all of them are looked through here."""
    monkeypatch.setattr("tailer.mongodb.presence.MOST_DATABASES", 10_000)


def test_too_many_databases_are_said_to_be_too_many(shop: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """No right is missing: the sentence gives the bound and the way out."""
    monkeypatch.setattr("tailer.mongodb.presence.MOST_DATABASES", 1)
    [sentence] = looked(shop, ("*", ("loans",))).unseen
    assert "at most 1 are looked through; write each collection with its database" in sentence


@pytest.fixture(scope="module")
def shop(stack: Any) -> Iterator[Mongo]:
    """Two databases with everything that a name may stand for."""
    mongo: Mongo = stack.mongo
    shop, bank = mongo["the_shop"], mongo["the_bank"]
    shop.orders.insert_one({})
    shop["fs.files"].insert_one({})
    shop["the_shop.ledger"].insert_one({})
    shop.create_collection("capped", capped=True, size=4096)
    shop.create_collection("open_orders", viewOn="orders", pipeline=[])
    shop.create_collection("weather", timeseries={"timeField": "at"})
    bank.loans.insert_one({})
    bank.create_collection("every_loan", viewOn="loans", pipeline=[])
    yield mongo
    for database in (shop, bank):
        mongo.drop_database(database)


@pytest.mark.parametrize(
    "names",
    [
        ("the_shop", ("orders",)),
        ("the_shop", ("orders", "fs.files", "capped")),
        ("the_shop", ("the_shop.orders",)),
        ("the_shop", ()),
        ("*", ()),
        ("*", ("the_shop.orders", "the_bank.loans")),
        ("*", ("the_shop.fs.files", "the_bank.*")),
        ("*", ("loans",)),
    ],
)
def test_nothing_is_said_of_what_is_there(shop: Mongo, names: Names) -> None:
    """In every shape of watching."""
    assert looked(shop, names) == Presence()


@pytest.mark.parametrize(
    ("database", "collections", "words"),
    [
        ("the_shop", ("open_orders",), "the_shop.open_orders is a view, .* collection behind it, the_shop.orders$"),
        ("the_shop", ("orders", "open_orders"), "the_shop.open_orders is a view"),
        ("*", ("the_shop.open_orders", "the_bank.loans"), "the_shop.open_orders is a view"),
        ("*", ("every_loan",), r"\*.every_loan is a view"),
        ("the_shop", ("weather",), "the_shop.weather is a time series collection"),
        ("the_shop", ("orders", "weather"), "the_shop.weather is a time series collection"),
        ("*", ("weather", "loans"), r"\*.weather is a time series collection"),
        (
            "the_shop",
            ("orders", "the_bank.loans"),
            "the_bank.loans lies in the database the_bank, and TAILER_DATABASE is",
        ),
    ],
)
def test_what_nothing_can_arrive_from_is_refused(shop: Mongo, database: str, collections: tuple[str, ...], words: str) -> None:
    """Alone and among others: over several collections the server itself says nothing."""
    found = looked(shop, (database, collections))
    [sentence] = found.impossible
    assert re.search(words, sentence)
    assert sentence.startswith("TAILER_COLLECTIONS: ")


@pytest.mark.parametrize(
    ("database", "collections", "words"),
    [
        ("the_shop", ("Orders",), "the_shop.Orders does not exist yet, .*; did you mean orders"),
        ("the_shop", ("ordres", "fs.files"), "the_shop.ordres does not exist yet, .*; did you mean orders"),
        ("the_shop", ("ledger",), "did you mean the_shop.the_shop.ledger, the collection"),
        ("the_shop", ("later",), "the_shop.later does not exist yet, and no change arrives until it does$"),
        ("the_shop", ("orders; loans",), "names are separated by commas"),
        (
            "the_shop",
            ("the_bank.lones",),
            "the_shop.the_bank.lones does not exist yet.*for another database set TAILER_DATABASE to",
        ),
        ("the_shpo", ("orders",), "there is no database the_shpo; did you mean the_shop"),
        ("the_shpo", (), r"the_shpo.\* does not exist yet.*there is no database the_shpo; did you mean the_shop"),
        ("nowhere", (), "there is no database nowhere$"),
        ("*", ("the_shop.Orders", "the_bank.loans"), "the_shop.Orders does not exist yet.*did you mean orders"),
        ("*", ("the_bnak.*", "the_bank.loans"), "did you mean the_bank"),
        ("*", ("fs.files",), "did you mean the_shop.fs.files, the collection fs.files of the database the_shop"),
        ("*", ("lones",), r"\*.lones does not exist yet.*did you mean loans"),
    ],
)
def test_what_is_not_there_yet_is_allowed_and_said(
    shop: Mongo, database: str, collections: tuple[str, ...], words: str
) -> None:
    """With what may have been meant: another case, a few letters, a dot that is read otherwise, another separator."""
    found = looked(shop, (database, collections))
    [sentence] = found.absent
    assert re.search(words, sentence)
    assert (found.impossible, found.unseen) == ([], [])


def test_a_reader_sees_what_it_may_read(tmp_path: Path) -> None:
    """Of its own database everything; a user for one collection sees that it is there. It takes no right of its own."""
    with with_users(tmp_path, "shop") as server:
        with MongoClient[Any](f"mongodb://{server}/?replicaSet=rs0", username="admin", password="admin-password") as admin:
            admin.shop.orders.insert_one({"_id": 1})
            admin.shop.create_collection("open_orders", viewOn="orders", pipeline=[])
            privilege = {"resource": {"db": "shop", "collection": "orders"}, "actions": ["find", "changeStream"]}
            admin.shop.command("createRole", "narrow", privileges=[privilege], roles=[])
            admin.admin.command("createUser", "one", pwd="one-password", roles=[{"role": "narrow", "db": "shop"}])
        with MongoClient[Any](server, username="tailer", password="tailer-password", replicaSet="rs0") as reader:
            assert looked(reader, ("shop", ("orders",))) == looked(reader, ("shop", ())) == Presence()
            assert looked(reader, ("shop", ("open_orders",))).impossible
            assert "did you mean orders?" in looked(reader, ("shop", ("Orders",))).absent[0]
        with MongoClient[Any](server, username="one", password="one-password", replicaSet="rs0") as narrow:
            assert looked(narrow, ("shop", ("orders",))) == Presence()


def test_what_may_not_be_looked_at_is_said_once(stack: Any) -> None:
    """It is no reason to stop: a stream may be read without it."""
    with DocumentdbDialect(stack.mongod.ports[0]) as dialect, MongoClient[Any](dialect.uri) as client:
        dialect.denied = {"listCollections", "listDatabases"}
        for names, what in (
            (("shop", ("orders", "refunds")), "collections of shop"),
            (("shop", ()), "databases"),
            (("*", ("orders",)), "databases"),
        ):
            found = looked(client, names)
            assert (found.impossible, found.absent) == ([], [])
            [sentence] = found.unseen
            assert f"may not list the {what}" in sentence


def test_a_server_without_the_newer_options_is_asked_without_them(shop: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """DocumentDB may not know ``authorizedCollections``."""
    with DocumentdbDialect(shop.address[1] if shop.address else 0) as dialect, MongoClient[Any](dialect.uri) as client:
        response: Callable[[Any], Any] = dialect.response

        def older(command: Any) -> Any:
            unknown = {"ok": 0.0, "code": 9, "errmsg": "unknown field"}
            return unknown if "authorizedCollections" in command else response(command)

        monkeypatch.setattr(dialect, "response", older)
        assert looked(client, ("the_shop", ("orders",))) == Presence()
        assert looked(client, ("the_shop", ("weather",))).impossible


def looked(client: "MongoClient[Any]", names: Names) -> Presence:
    return presence(client, Watch(database=names[0], collections=names[1]))
