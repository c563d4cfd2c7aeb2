"""The client of a MongoDB or DocumentDB cluster, whose calls cannot hang for ever."""

import threading
import warnings
from collections.abc import Mapping
from functools import cache
from math import inf
from typing import Any
from urllib.parse import quote_plus

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, InvalidURI

from tailer.errors import Misconfigured
from tailer.mongodb.connection.uri import defaults, mistake, option
from tailer.mongodb.connection.waits import Commands

TIMEOUTS = {  # ms; what the URI says wins
    "serverSelectionTimeoutMS": 10_000,
    "connectTimeoutMS": 5_000,
    "socketTimeoutMS": 60_000,  # of everything but change streams, whose server may look through history: see ``reads``
}

# Once for the process: filters that come and go (catch_warnings) are those of every thread.
warnings.filterwarnings("ignore", "You appear to be connected to a DocumentDB cluster")


def client(
    uri: str,
    setting: str = "TAILER_MONGODB_URI",
    username: str = "",
    password: str = "",
    *,
    timeouts: Mapping[str, int] = TIMEOUTS,
    own: Mapping[str, Any] | None = None,
) -> "MongoClient[Any]":
    """
    A client that of several servers it may read from takes one for everything, and to DocumentDB speaks TLS. It connects when
    used.
    Its ``own`` options hold whatever the URI says.

    Raises:
        Misconfigured: the URI cannot be used; the message names the setting and repeats nothing of it.
    """
    if why := mistake(uri):
        raise Misconfigured(f"{setting} {why}")
    options: dict[str, Any] = {name: value for name, value in timeouts.items() if option(uri, name) is None} | defaults(uri)
    options |= own or {}
    options["event_listeners"] = [*options.get("event_listeners", ()), Commands()]
    if username:  # in the URI: a client shows its options to whoever prints it
        scheme, _, rest = uri.partition("://")
        uri = f"{scheme}://{quote_plus(username)}:{quote_plus(password)}@{rest}"
    try:
        return MongoClient(uri, appname="tailrace", retryWrites=False, server_selector=_OneServer(), **options)
    except (ConfigurationError, InvalidURI, ValueError, OSError):  # whose words may repeat a part of the password
        raise unusable(setting) from None


_connecting = threading.Lock()
_cached = cache(client)


def connect(uri: str, setting: str = "TAILER_MONGODB_URI", username: str = "", password: str = "") -> "MongoClient[Any]":
    """
    The one client of this process for each cluster, however many threads ask.

    Raises: as ``client``.
    """
    with _connecting:
        return _cached(uri, setting, username, password)


def unusable(setting: str) -> Misconfigured:
    """What is said of a URI that cannot be used, whatever is wrong with it: nothing of it is repeated."""
    return Misconfigured(
        f"{setting} is not a MongoDB URI that can be used: mongodb://USER:PASSWORD@HOST:PORT/?replicaSet=NAME, where user "
        "and password have their special characters escaped (%2F for /), DNS knows the name of mongodb+srv://, and files "
        "that it names can be read"
    )


class _OneServer:
    """
    Of several routers, or members that the read preference allows, the nearest, and the same while it is there: a cursor lives
    on the server that opened it.
    """

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None

    def __call__(self, servers: list[Any]) -> list[Any]:
        if len(servers) < 2:
            return servers
        same = next((server for server in servers if server.address == self._last), None)
        chosen = same or min(servers, key=lambda server: (server.round_trip_time or inf, server.address))
        self._last = chosen.address
        return [chosen]
