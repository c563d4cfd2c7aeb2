"""The client of a MongoDB or DocumentDB cluster, whose calls cannot hang for ever."""

import threading
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, InvalidURI

from tailer.errors import Misconfigured
from tailer.mongodb.uri import defaults, option

TIMEOUTS = {  # ms; what the URI says wins
    "serverSelectionTimeoutMS": 10_000,
    "connectTimeoutMS": 5_000,
    "socketTimeoutMS": 60_000,  # a server may read history for long before it finds one change that matches
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
) -> "MongoClient[Any]":
    """
    A client that on a sharded cluster takes one router for everything, and to DocumentDB speaks TLS. It connects when used.

    Raises:
        Misconfigured: the URI cannot be used; the message names the setting and repeats nothing of it.
    """
    options: dict[str, Any] = {name: value for name, value in timeouts.items() if option(uri, name) is None} | defaults(uri)
    if username:
        options |= {"username": username, "password": password}
    try:
        return MongoClient(uri, appname="tailrace", retryWrites=False, server_selector=_one_router, **options)
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


def _one_router(servers: list[Any]) -> list[Any]:
    """A cursor lives on the router that opened it: of several, always choose the same while it is there."""
    routers = [server for server in servers if server.server_type_name == "Mongos"]
    return sorted(routers, key=lambda router: router.address)[:1] or servers
