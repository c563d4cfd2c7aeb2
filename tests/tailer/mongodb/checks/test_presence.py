"""Names of watched databases and collections are checked: whether they exist, can have changes, or are misspelt."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from devstack.documentdb.dialect import DocumentdbDialect
from tailer.mongodb.checks.names import Presence, presence
from tailer.mongodb.watch import Watch
from tests.tailer.servers import with_users

Mongo = MongoClient[dict[str, Any]]
Names = tuple[str, tuple[str, ...]]


@pytest.fixture(autouse=True)
def _no_database_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests leave databases: search all of them here."""
    monkeypatch.setattr("tailer.mongodb.checks.names.MOST_DATABASES", 10_000)


def test_too_many_databases_name_the_limit_and_the_remedy(shop: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailer.mongodb.checks.names.MOST_DATABASES", 1)
    [sentence] = presence_of(shop, ("*", ("loans",))).unseen
    assert "at most 1 are looked through; write each collection with its database" in sentence


@pytest.fixture(scope="module")
def shop(stack: Any) -> Iterator[Mongo]:
    """Two databases with every kind of collection and view."""
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
def test_existing_names_report_nothing(shop: Mongo, names: Names) -> None:
    assert presence_of(shop, names) == Presence()


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
def test_names_that_can_have_no_changes_are_refused(
    shop: Mongo, database: str, collections: tuple[str, ...], words: str
) -> None:
    """Alone and among others: over several collections the server itself does not refuse them."""
    found = presence_of(shop, (database, collections))
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
def test_missing_names_are_allowed_and_reported_with_a_suggestion(
    shop: Mongo, database: str, collections: tuple[str, ...], words: str
) -> None:
    """Another case, a few letters, a dot that is read differently, another separator."""
    found = presence_of(shop, (database, collections))
    [sentence] = found.absent
    assert re.search(words, sentence)
    assert (found.impossible, found.unseen) == ([], [])


def test_presence_needs_no_right_beyond_reading(tmp_path: Path) -> None:
    """A reader sees all of its own database; a user for one collection sees that collection."""
    with with_users(tmp_path, "shop") as server:
        with MongoClient[Any](f"mongodb://{server}/?replicaSet=rs0", username="admin", password="admin-password") as admin:
            admin.shop.orders.insert_one({"_id": 1})
            admin.shop.create_collection("open_orders", viewOn="orders", pipeline=[])
            privilege = {"resource": {"db": "shop", "collection": "orders"}, "actions": ["find", "changeStream"]}
            admin.shop.command("createRole", "narrow", privileges=[privilege], roles=[])
            admin.admin.command("createUser", "one", pwd="one-password", roles=[{"role": "narrow", "db": "shop"}])
        with MongoClient[Any](server, username="tailer", password="tailer-password", replicaSet="rs0") as reader:
            assert presence_of(reader, ("shop", ("orders",))) == presence_of(reader, ("shop", ())) == Presence()
            assert presence_of(reader, ("shop", ("open_orders",))).impossible
            assert "did you mean orders?" in presence_of(reader, ("shop", ("Orders",))).absent[0]
        with MongoClient[Any](server, username="one", password="one-password", replicaSet="rs0") as narrow:
            assert presence_of(narrow, ("shop", ("orders",))) == Presence()


def test_denied_listing_is_reported_once(stack: Any) -> None:
    """A stream may be read without the right to list."""
    with DocumentdbDialect(stack.mongod.ports[0]) as dialect, MongoClient[Any](dialect.uri) as client:
        dialect.denied = {"listCollections", "listDatabases"}
        for names, what in (
            (("shop", ("orders", "refunds")), "collections of shop"),
            (("shop", ()), "databases"),
            (("*", ("orders",)), "databases"),
        ):
            found = presence_of(client, names)
            assert (found.impossible, found.absent) == ([], [])
            [sentence] = found.unseen
            assert f"may not list the {what}" in sentence


def test_server_without_authorized_collections_is_asked_without_it(shop: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """DocumentDB may not know the option ``authorizedCollections``."""
    with DocumentdbDialect(shop.address[1] if shop.address else 0) as dialect, MongoClient[Any](dialect.uri) as client:
        response: Callable[[Any], Any] = dialect.response

        def older(exchange: Any) -> Any:
            unknown = {"ok": 0.0, "code": 9, "errmsg": "unknown field"}
            return unknown if "authorizedCollections" in exchange.command else response(exchange)

        monkeypatch.setattr(dialect, "response", older)
        assert presence_of(client, ("the_shop", ("orders",))) == Presence()
        assert presence_of(client, ("the_shop", ("weather",))).impossible


def presence_of(client: "MongoClient[Any]", names: Names) -> Presence:
    return presence(client, Watch(database=names[0], collections=names[1]))
