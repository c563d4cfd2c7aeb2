"""The parts of a stream with some of them replaced, and clients that a test closes at its end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pymongo
from pymongo import MongoClient

from tailer.mongodb.connection.client import TIMEOUTS, Timeouts, client
from tailer.parts import Parts
from tailer.settings.settings import Settings


def parts_with(settings: Settings, **parts: Any) -> Parts:
    """The parts of a stream, with these in place of what the settings say."""
    made = Parts(settings)
    vars(made).update(parts)
    return made


@contextmanager
def closed_clients() -> Iterator[Callable[[Settings], Parts]]:
    """Yield a function that makes parts. Their MongoDB clients are not shared with other tests, and are closed at the end."""
    opened: list[MongoClient[Any]] = []

    def connect(*arguments: str, timeouts: Timeouts = TIMEOUTS) -> "MongoClient[Any]":
        opened.append(client(*arguments, timeouts=timeouts))
        return opened[-1]

    yield partial(Parts, connect=connect)
    close(opened)


def close(clients: "list[MongoClient[Any]]") -> None:
    """Close the clients, also of servers that are gone: closing ends the sessions on the server, and waits for it."""
    for one in clients:
        with pymongo.timeout(0.1):  # seconds
            one.close()
