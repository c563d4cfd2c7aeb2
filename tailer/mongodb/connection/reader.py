"""The client that reads change streams. Its reads may wait while a server scans its history."""

from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient

from tailer.mongodb.connection.client import TIMEOUTS, client, shared
from tailer.mongodb.connection.commands import Commands

_CONNECT = 20_000  # ms; also the timeout of the server's monitor: a server that is busy reading may be slow


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A client for change streams only. ``seconds`` is how long it waits for one reply of a server that is alive."""

    client: "MongoClient[Any]"
    commands: Commands
    seconds: float


def reader(
    uri: str, setting: str = "TAILER_MONGODB_URI", username: str = "", password: str = "", *, seconds: float = 3_600
) -> Reader:
    """
    A client whose reads may take ``seconds``, whatever ``socketTimeoutMS`` in the URI is.

    A server that is gone is noticed sooner: pymongo's monitor checks it every ``heartbeatFrequencyMS`` (10 s) on a connection
    of its own, and without a response within ``connectTimeoutMS`` (20 s) it ends the outstanding reads. A dead connection to a
    server that is alive is found by TCP keepalive, which pymongo sets: nine probes of 10 s after 120 s without data.
    """
    commands = Commands()
    own: dict[str, Any] = {"socketTimeoutMS": round(seconds * 1000), "event_listeners": [commands]}
    timeouts = (*TIMEOUTS, ("connectTimeoutMS", _CONNECT))
    made = client(uri, setting, username, password, timeouts=timeouts, own=own)
    return Reader(client=made, commands=commands, seconds=seconds)


connect_reader = shared(reader)
"""The one reader of this process for each cluster."""
