"""The clients of a MongoDB or DocumentDB cluster: one that reads change streams, and one for everything else."""

import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote_plus

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, InvalidURI

from tailer.errors import Misconfigured
from tailer.mongodb.connection.commands import Commands
from tailer.mongodb.connection.uri import defaults, mistake, option

P = ParamSpec("P")
T = TypeVar("T")

Timeouts = tuple[tuple[str, int], ...]

TIMEOUTS: Timeouts = (  # ms; an option in the URI overrides its default here
    ("serverSelectionTimeoutMS", 10_000),
    ("connectTimeoutMS", 5_000),
    ("socketTimeoutMS", 60_000),  # except for change streams, whose server may scan its history: see ``reader``
)
QUICK: Timeouts = (  # ms; for checks, which end after 8 s
    ("serverSelectionTimeoutMS", 5_000),
    ("connectTimeoutMS", 3_000),
    ("socketTimeoutMS", 20_000),
)
_CONNECT = 20_000  # ms, of a reader; also the timeout of the server's monitor: a server that is busy reading may be slow

# Once for the process: catch_warnings would change the filters of every thread.
warnings.filterwarnings("ignore", "You appear to be connected to a DocumentDB cluster")


def client(
    uri: str,
    setting: str = "TAILER_MONGODB_URI",
    username: str = "",
    password: str = "",
    *,
    timeouts: Timeouts = TIMEOUTS,
    own: Mapping[str, Any] | None = None,
) -> "MongoClient[Any]":
    """
    A client that uses one server for all reads, and TLS with DocumentDB. It connects when used. The URI overrides ``timeouts``;
    the ``own`` options override the URI.
    """
    if problem := mistake(uri):
        raise Misconfigured(f"{setting} {problem}")
    options: dict[str, Any] = {name: value for name, value in timeouts if option(uri, name) is None} | defaults(uri)
    options = {"event_listeners": [Commands()]} | options | dict(own or {})
    if username:  # in the URI, because repr() of a client shows its options
        scheme, _, rest = uri.partition("://")
        uri = f"{scheme}://{quote_plus(username)}:{quote_plus(password)}@{rest}"
    try:
        return MongoClient(uri, appname="tailrace", retryWrites=False, server_selector=_OneServer(), **options)
    except (ConfigurationError, InvalidURI, ValueError, OSError):  # the error may repeat a part of the password
        raise unusable(setting) from None


def shared(make: Callable[P, T]) -> Callable[P, T]:
    """Return a function that calls ``make`` once for each set of arguments, however many threads call it."""
    calling, cached = threading.Lock(), cache(make)

    def get(*args: P.args, **kwargs: P.kwargs) -> T:
        with calling:
            return cached(*args, **kwargs)  # type: ignore[arg-type] # they are hashable, which a ParamSpec cannot say

    return get


connect = shared(client)
"""The one client of this process for each cluster."""


def unusable(setting: str) -> Misconfigured:
    """The error for a URI that cannot be used, whatever is wrong with it. It repeats nothing of the URI."""
    return Misconfigured(
        f"{setting} is not a usable MongoDB URI. Its form is mongodb://USER:PASSWORD@HOST:PORT/?replicaSet=NAME. Escape the "
        "special characters of user and password (%2F for /); the host of mongodb+srv:// must be known in DNS; and the files "
        "that the URI names must be readable"
    )


class _OneServer:
    """
    Of several routers, or members that the read preference allows, select the nearest one, and keep it while it is available: a
    cursor lives on the server that opened it. A primary that is the only choice is not kept, because a read of the primary may
    have selected it.
    """

    def __init__(self) -> None:
        self._last: tuple[str, int] | None = None

    def __call__(self, servers: list[Any]) -> list[Any]:
        if not servers:
            return servers
        same = next((server for server in servers if server.address == self._last), None)
        chosen = same or min(servers, key=lambda server: (server.round_trip_time or inf, server.address))
        if len(servers) > 1 or chosen.server_type_name != "RSPrimary":
            self._last = chosen.address
        return [chosen]


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
