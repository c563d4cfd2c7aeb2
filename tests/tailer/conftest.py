"""Closes what the tailer leaves open until its process ends."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo import MongoClient

from devstack import DevStack
from tailer.mongodb.cursor import EVENTS_PER_REPLY
from tailrace.dev.mongod import Mongod
from tailrace.dev.workspace import Workspace
from tests.tailer.parts import close
from tests.tailer.tailers import Tailers


@pytest.fixture(scope="session", autouse=True)
def _clients_are_closed() -> Iterator[None]:
    """Close the clients of the clusters, which are kept for the life of a process that many tests share here."""
    opened: list[MongoClient[Any]] = []

    def remembered(*arguments: Any, **options: Any) -> "MongoClient[Any]":
        opened.append(MongoClient(*arguments, **options))
        return opened[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tailer.mongodb.connection.client.MongoClient", remembered)
        yield
    close(opened)


@pytest.fixture
def short_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server sends an empty reply after 50 ms instead of a second."""
    monkeypatch.setattr("tailer.mongodb.cursor._MORE", {"batchSize": EVENTS_PER_REPLY, "maxTimeMS": 50})


@pytest.fixture(scope="module")
def large_mongo(services: None) -> Iterator["MongoClient[dict[str, Any]]"]:
    """
    A replica set for documents of 16 MB. In the shared one they would push out the history of other tests, and its cache is too
    small for such a transaction.
    """
    with Workspace() as workspace:
        mongod = Mongod(workspace, history=("--oplogSize", "1024"))
        mongod.start()
        mongod.wait_ready()
        with MongoClient[dict[str, Any]](mongod.uri, tz_aware=True) as client:
            client.admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig="cache_size=1G")
            yield client


@pytest.fixture
def tailers(stack: DevStack, queue_url: str, fresh: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tailers]:
    for name, value in stack.environment_of(fresh, queue_url=queue_url, lease_seconds=1, http_port=0).items():
        monkeypatch.setenv(name, value)
    with ThreadPoolExecutor(4) as threads:
        found = Tailers(threads, monkeypatch, fresh)
        yield found
        for stopping in found.running:
            stopping.set()
