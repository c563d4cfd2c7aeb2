"""What the tailer opens in this process and, being a process, leaves to its end."""

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient


@pytest.fixture(scope="session", autouse=True)
def _clients_are_closed() -> Iterator[None]:
    """One client of each cluster is kept for the life of a process: here many tests share one."""
    opened: list[MongoClient[Any]] = []

    def remembered(*arguments: Any, **options: Any) -> "MongoClient[Any]":
        opened.append(MongoClient(*arguments, **options))
        return opened[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tailer.mongodb.client.MongoClient", remembered)
        yield
    for client in opened:
        client.close()
