"""What the doctor finds of the names that are watched: what a task would find before it starts."""

from typing import Any

from pymongo import MongoClient

from tests.documentdb import DocumentdbDialect
from tests.tailer.doctor.conftest import Doctor

Mongo = MongoClient[dict[str, Any]]


def test_what_is_there_is_listed(doctor: Doctor, mongo: Mongo, fresh: str) -> None:
    """By its full name."""
    mongo[fresh].orders.insert_one({})
    assert doctor(TAILER_COLLECTIONS="orders")["stream.names"] == ("ok", f"{fresh}.orders → ")


def test_what_is_not_there_is_a_warning_with_what_may_have_been_meant(doctor: Doctor, mongo: Mongo, fresh: str) -> None:
    """It may be made later."""
    mongo[fresh].orders.insert_one({})
    report = doctor(TAILER_COLLECTIONS="Orders,orders")
    state, words = report["stream.names"]
    assert state == "warn"
    assert f"{fresh}.Orders does not exist yet, and no change arrives until it does; did you mean orders?" in words
    assert report["stream.readable"][0] == "ok"


def test_what_has_no_changes_fails_as_a_task_would(doctor: Doctor, mongo: Mongo, fresh: str) -> None:
    """Exit code 2; in a table the setting is called by its key."""
    mongo[fresh].create_collection("open_orders", viewOn="orders", pipeline=[])
    report = doctor(TAILER_CONFIG_TOML=f'[shop]\ndatabase = "{fresh}"\ncollections = ["orders", "open_orders"]')
    assert "stream.names" in report.failed
    assert report.code == 2
    _, words = report["stream.names"]
    assert f"collections in [shop]: {fresh}.open_orders is a view" in words
    assert "TAILER_" not in words


def test_what_may_not_be_looked_at_is_skipped(doctor: Doctor, documentdb: DocumentdbDialect) -> None:
    """With the right that it would need."""
    documentdb.denied = {"listCollections"}
    documentdb.enabled = {("", "")}
    report = doctor(TAILER_MONGODB_URI=documentdb.uri, TAILER_COLLECTIONS="orders,refunds")
    state, words = report["stream.names"]
    assert state == "skip"
    assert "listCollections" in words
