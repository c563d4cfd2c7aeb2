"""The cluster: its kind, its TLS, its sign-in and its clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tailer.checks import Check, Finding, clock_difference, fail, ok
from tailer.mongodb.capabilities import Capabilities, capabilities
from tailer.mongodb.checks.encryption import Encryption, tls_at_start
from tailer.mongodb.checks.network import Network
from tailer.mongodb.connection.client import QUICK, client
from tailer.mongodb.connection.errors import WATCHED, mongodb_errors
from tailer.mongodb.connection.uri import names_a_user, option

SIGN_IN = "database.sign-in"
NETWORK = "check the network, DNS and the inbound rules of its security group"
_TLS = (
    *("tls", "ssl", "tlsCAFile", "tlsInsecure", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames"),
    *("tlsCertificateKeyFile", "tlsCertificateKeyFilePassword", "tlsDisableOCSPEndpointCheck"),
)
_OLDEST_DOCUMENTDB = (5, 0)


class Server:
    """The watched cluster. ``signed_in`` returns a client that signs in as a tailer does; ``username`` may be in the URI."""

    def __init__(
        self, uri: str, username: str, signed_in: Callable[[], "MongoClient[Any]"], *, now: Callable[[], datetime]
    ) -> None:
        self._uri = uri
        self._names_a_user = bool(username) or names_a_user(uri)
        self._signed_in = signed_in
        self._now = now
        self._network = Network(uri)

    def checks(self) -> list[Check]:
        check = partial(
            Check,
            outage=f"check that the database is up and reachable from here: {NETWORK}",
            mistake="correct TAILER_MONGODB_URI, TAILER_MONGODB_USERNAME or TAILER_MONGODB_PASSWORD",
        )
        tls, by_uri = Encryption(self._uri, self._network, now=self._now).tls, partial(tls_at_start, self._uri, WATCHED)
        return [
            check(name="database.reachable", run=self._network.reachable),
            check(name="database.tls", run=tls, at_start=by_uri, needs=("database.reachable",)),
            check(name="database.server", run=self.server, at_start=lambda: self._kind(self.client), needs=("database.tls",)),
            check(name=SIGN_IN, run=self.sign_in, needs=("database.server",)),
            check(name="database.clock", run=self.clock, needs=(SIGN_IN,)),
        ]

    @property
    def client(self) -> "MongoClient[Any]":
        return self._signed_in()

    @property
    def capabilities(self) -> Capabilities:
        return capabilities(self.client)

    def server(self) -> Finding:
        """Check that the server has change streams, before anyone signs in."""
        with client(self._directly(), timeouts=QUICK) as direct:
            return self._kind(direct)

    def _kind(self, client: "MongoClient[Any]") -> Finding:
        with mongodb_errors():
            hello = client.admin.command("hello")
        name, expected = hello.get("setName"), option(self._uri, "replicaSet")
        if name is None and hello.get("msg") != "isdbgrid":  # isdbgrid: a router of a sharded cluster
            return fail(
                "TAILER_MONGODB_URI is a standalone server, and change streams need a replica set",
                "start it with mongod --replSet rs0 and run rs.initiate() once, or correct TAILER_MONGODB_URI",
            )
        if expected and name and name != expected:
            return fail(f"the replica set is called {name}", f"set replicaSet={name} in TAILER_MONGODB_URI")
        if name is None:
            return ok("a router of a sharded cluster")
        return ok(f"replica set {name}, primary {hello.get('primary', 'unknown')}")

    def sign_in(self) -> Finding:
        """Check the credentials; the finding shows the user and the version of the server."""
        with mongodb_errors():
            self.client.admin.command("ping")
            if not self._names_a_user:  # a server without users allows this too
                self.client.admin.command("listDatabases", nameOnly=True)
        can = self.capabilities
        found = f"{self._user()}; {can.name}{f', engine {can.engine}' if can.engine else ''}"
        if can.documentdb and can.api < _OLDEST_DOCUMENTDB:
            return fail(found, "upgrade the cluster: 5.0 is the oldest that works")
        return ok(found)

    def clock(self) -> Finding:
        """Compare the server's clock with ours. Only metrics compare them: lag and headroom."""
        with mongodb_errors():
            theirs = self.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
        return clock_difference("the database's clock", (theirs - self._now()).total_seconds())

    def _user(self) -> str:
        try:
            users = self.client.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"]
        except PyMongoError:
            users = []
        mechanism = f", with {name}" if (name := option(self._uri, "authMechanism")) else ""
        if users:
            return f"signed in as {users[0]['user']} of {users[0]['db']}{mechanism}"
        return f"signed in{mechanism}" if self._names_a_user else "without a user"

    def _directly(self) -> str:
        """The URI of a host that accepts connections, with the same TLS and without credentials."""
        host, port = self._network.host
        options = {name: value for name in _TLS if (value := option(self._uri, name)) is not None}
        if self._uri.startswith("mongodb+srv://"):
            options.setdefault("tls", "true")
        query = "".join(f"&{name}={quote(value)}" for name, value in options.items())
        return f"mongodb://{f'[{host}]' if ':' in host else host}:{port}/?directConnection=true{query}"
