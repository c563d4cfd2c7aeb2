"""The doctor's checks of the watched names, which a task makes before it starts."""

from typing import Any

from pymongo import MongoClient

from devstack.documentdb.dialect import DocumentdbDialect
from tests.tailer.checked import Doctor

Mongo = MongoClient[dict[str, Any]]


def test_existing_names_are_listed(doctor: Doctor, mongo: Mongo, fresh: str) -> None:
    mongo[fresh].orders.insert_one({})
    assert doctor(TAILER_COLLECTIONS="orders")["stream.names"] == ("ok", f"{fresh}.orders → ")


def test_missing_name_is_a_warning_with_a_suggestion(doctor: Doctor, mongo: Mongo, fresh: str) -> None:
    """It may be created later."""
    mongo[fresh].orders.insert_one({})
    report = doctor(TAILER_COLLECTIONS="Orders,orders")
    state, words = report["stream.names"]
    assert state == "warn"
    assert f"{fresh}.Orders does not exist yet, and no change arrives until it does; did you mean orders?" in words
    assert report["stream.readable"][0] == "ok"


def test_name_without_changes_fails(doctor: Doctor, mongo: Mongo, fresh: str) -> None:
    """With exit code 2. In a table the setting has the name of its key."""
    mongo[fresh].create_collection("open_orders", viewOn="orders", pipeline=[])
    report = doctor(TAILER_CONFIG_TOML=f'[shop]\ndatabase = "{fresh}"\ncollections = ["orders", "open_orders"]')
    assert "stream.names" in report.failed
    assert report.code == 2
    _, words = report["stream.names"]
    assert f"collections in [shop]: {fresh}.open_orders is a view" in words
    assert "TAILER_" not in words


def test_names_that_may_not_be_listed_are_skipped(doctor: Doctor, documentdb: DocumentdbDialect) -> None:
    """With the missing right."""
    documentdb.denied = {"listCollections"}
    documentdb.enabled = {("", "")}
    report = doctor(TAILER_MONGODB_URI=documentdb.uri, TAILER_COLLECTIONS="orders,refunds")
    state, words = report["stream.names"]
    assert state == "skip"
    assert "listCollections" in words
