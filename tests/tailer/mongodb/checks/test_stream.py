"""The doctor's checks of a stream and its history at the stored position."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.model import After, At, Checkpoint, Record
from tailer.mongodb.capabilities import Capabilities
from tailer.mongodb.checks.images import images
from tailer.mongodb.checks.stream import WatchedStream
from tailer.parts import Parts
from tailer.settings.settings import Settings, load
from tailer.times import rfc3339
from tailrace.dev.loopback import HOST
from tests.tailer.checked import Doctor
from tests.tailer.records import record_of
from tests.tailer.servers import drop_history, with_short_history

TOKEN = "82" + "0" * 40


@pytest.fixture
def stopped_at(stored: Settings) -> Callable[[Checkpoint], None]:
    """Store a checkpoint, as a task that stopped there."""

    def leave(checkpoint: Checkpoint) -> None:
        record = Record(stream=stored.stream, version=1, identity=stored.identity, checkpoint=checkpoint)
        Parts(stored).store.write(record)

    return leave


def test_lost_position_is_reported_with_both_remedies(doctor: Doctor, mapping: str, stopped_at: Any, fresh: str) -> None:
    """With the server's code, the last delivered time, and the two commands. The exit code is 3."""
    with with_short_history() as client:
        with client[fresh].watch() as changes:
            client[fresh].payments.insert_one({"_id": 1})
            change = next(changes)
        reached = change["clusterTime"]
        token = Checkpoint(sequence=1, position=After(change["_id"]["_data"], f"{reached.time}.{reached.inc}"))
        stopped_at(token)
        drop_history(client, reached)
        report = doctor(TAILER_MONGODB_URI=f"mongodb://{HOST}:{client.address[1]}/?replicaSet=rs0")  # type: ignore[index]
    assert report.failed == {"stream.readable"}
    assert report.code == 3
    words = report["stream.readable"][1]
    for part in (
        "code 286",
        f"up to {rfc3339(token.reached)}",
        "tailer checkpoint rewind",
        "tailer checkpoint accept-gap",
    ):
        assert part in words
    assert report["stream.history"][0] == "warn"
    assert "let a tailer catch up" not in report["stream.history"][1]  # It cannot catch up any more.


def test_lost_position_on_documentdb_is_reported(
    doctor: Doctor, mapping: str, documentdb: DocumentdbDialect, stopped_at: Any, fresh: str
) -> None:
    """With code 136 for a token."""
    stopped_at(Checkpoint(sequence=1, position=After(TOKEN, "1700000000.1")))
    documentdb.enabled, documentdb.lost = {("", "")}, True
    report = doctor(TAILER_MONGODB_URI=documentdb.uri, TAILER_HISTORY_SECONDS="86400")
    assert report.failed == {"stream.readable"}
    assert report.code == 3
    assert "136: CappedPositionLost" in report["stream.readable"][1]


def test_token_of_another_cluster_is_a_lost_position(doctor: Doctor, mapping: str, stopped_at: Any) -> None:
    """The time of its checkpoint is a remedy."""
    stopped_at(Checkpoint(sequence=1, position=After("01abcdef", "1700000000.1")))
    report = doctor()
    assert report.code == 3
    assert "another cluster or engine" in report["stream.readable"][1]


def test_refused_pipeline_is_found_before_the_first_start(doctor: Doctor, mapping: str) -> None:
    """The real stream is opened."""
    report = doctor(TAILER_PIPELINE='[{"$match": {"$nonsense": 1}}]')
    assert report.failed == {"stream.readable"}
    assert report.code == 2
    assert "TAILER_PIPELINE" in report["stream.readable"][1]


@pytest.mark.usefixtures("on_mongodb")
def test_missing_pre_images_are_found(stack: DevStack, doctor: Doctor, mapping: str, fresh: str) -> None:
    """When they are required an update would stop the stream; otherwise they are a warning."""
    required = doctor(TAILER_FULL_DOCUMENT_BEFORE_CHANGE="required")
    assert required.failed == {"stream.documents"}
    assert "of payments" in required["stream.documents"][1]
    assert doctor(TAILER_FULL_DOCUMENT_BEFORE_CHANGE="whenAvailable")["stream.documents"][0] == "warn"
    stack.mongo[fresh].command("collMod", "payments", changeStreamPreAndPostImages={"enabled": True})
    assert doctor(TAILER_FULL_DOCUMENT_BEFORE_CHANGE="required").code == 0


@pytest.mark.usefixtures("on_mongodb")
def test_pre_images_are_checked_in_every_watched_database(stack: DevStack, doctor: Doctor, fresh: str) -> None:
    """Of watched collections only."""
    for collection in ("watched", "other"):
        stack.mongo[f"{fresh}-b"].create_collection(collection)
    names = f"{fresh}.payments,{fresh}-b.watched"
    report = doctor(TAILER_DATABASE="*", TAILER_COLLECTIONS=names, TAILER_FULL_DOCUMENT_BEFORE_CHANGE="whenAvailable")
    assert report["stream.documents"][0] == "warn"
    assert "of payments, watched →" in report["stream.documents"][1]


@pytest.mark.usefixtures("on_mongodb")
def test_stream_stopped_by_a_missing_image_has_a_remedy_that_works(
    stack: DevStack, doctor: Doctor, mapping: str, stopped_at: Any, fresh: str
) -> None:
    """Images that are kept from now on do not help. The exit code is 2."""
    source = Parts(load()[0]).source
    stack.mongo[fresh].payments.insert_one({"_id": 1})
    stopped_at(source.first())
    stack.mongo[fresh].payments.update_one({"_id": 1}, {"$set": {"status": "cancelled"}})
    without = doctor(TAILER_FULL_DOCUMENT_BEFORE_CHANGE="required")
    assert "whenAvailable" in without["stream.documents"][1]
    stack.mongo[fresh].command("collMod", "payments", changeStreamPreAndPostImages={"enabled": True})
    stuck = doctor()
    assert stuck.failed == {"stream.readable"}
    assert stuck.code == 2
    assert "TAILER_FULL_DOCUMENT_BEFORE_CHANGE=required" in stuck["stream.readable"][1]
    assert "to whenAvailable" in stuck["stream.readable"][1]
    assert doctor(TAILER_FULL_DOCUMENT_BEFORE_CHANGE="whenAvailable").code == 0


class FakeDatabase:
    """A database of a given kind and version."""

    def __init__(self, *, documentdb: bool, version: str) -> None:
        self.capabilities = Capabilities(documentdb=documentdb, version=version)


@pytest.mark.parametrize(("documentdb", "version"), [(True, "5.0.0"), (True, "8.0.2"), (False, "5.0.14")])
def test_server_without_image_support_is_reported(stored: Settings, documentdb: bool, version: str) -> None:
    """With the setting to use instead."""
    settings = Settings(**{**stored.model_dump(), "full_document": "required"})
    server: Any = FakeDatabase(documentdb=documentdb, version=version)
    verdict = images(server, Parts(settings).watch)
    assert verdict.exit_code == 2
    assert "updateLookup" in verdict.remedy


NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(("behind", "state"), [(10, "ok"), (79, "ok"), (81, "warn"), (120, "warn")])
def test_history_below_a_fifth_is_a_warning(
    stored: Settings, documentdb: DocumentdbDialect, stopped_at: Any, behind: int, state: str
) -> None:
    """In seconds and as a share, from the settings if the server does not report it."""
    stopped_at(Checkpoint(position=At(f"{int((NOW - timedelta(seconds=behind)).timestamp())}.1")))
    settings = Settings(**{**stored.model_dump(), "history_seconds": 100, "mongodb_uri": documentdb.uri})
    parts = Parts(settings)
    server: Any = FakeDatabase(documentdb=True, version="5.0.0")
    position = record_of(parts, now=lambda: NOW)
    position.read()
    stream = WatchedStream(
        server=server,
        watch=parts.watch,
        source=lambda: parts.source,
        position=position,
        history_seconds=100,
        now=lambda: NOW,
    )
    verdict = stream.reaches_back()
    assert verdict.state == state
    assert verdict.found == f"{100 - behind} s left of 100 s, {max(0, 100 - behind)}%"
