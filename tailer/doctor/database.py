"""The cluster: what kind it is, whether it lets us in, and what time it has."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tailer.doctor.finding import Verdict, fail, ok, warn
from tailer.doctor.network import Network
from tailer.mongodb.cluster_facts import maybe_documentdb
from tailer.mongodb.connection.client import client
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.connection.uri import names_a_user, of_documentdb, option
from tailer.preflight import check_replica_set
from tailer.settings.settings import Settings

_QUICK = {"serverSelectionTimeoutMS": 5_000, "connectTimeoutMS": 3_000, "socketTimeoutMS": 20_000}
_TLS = (
    *("tls", "ssl", "tlsCAFile", "tlsInsecure", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames"),
    *("tlsCertificateKeyFile", "tlsCertificateKeyFilePassword", "tlsDisableOCSPEndpointCheck"),
)
_SKEW = 5.0  # seconds between two clocks that nobody need care about
_OLDEST_DOCUMENTDB = (5, 0)


class Database:
    """One cluster, as the settings name it and sign in to it. What one look finds the next ones use."""

    def __init__(self, settings: Settings, network: Network, *, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._uri = settings.mongodb_uri.get_secret_value()
        self._network = network
        self._now = now
        self._client: MongoClient[Any] | None = None
        self._hello: Mapping[str, Any] = {}
        self.version: tuple[int, ...] = ()

    @property
    def client(self) -> "MongoClient[Any]":
        """
        Signs in as a tailer does, and gives up sooner.

        Raises:
            Misconfigured: the URI cannot be used.
        """
        if self._client is None:
            password = self._settings.mongodb_password.get_secret_value()
            self._client = client(self._uri, "TAILER_MONGODB_URI", self._settings.mongodb_username, password, timeouts=_QUICK)
        return self._client

    @property
    def documentdb(self) -> bool:
        """Whether it is DocumentDB: by its name, or by how it answers."""
        return of_documentdb(self._uri) or maybe_documentdb(self._hello)

    def close(self) -> None:
        """Leave no connection behind."""
        if self._client:
            self._client.close()

    def server(self) -> Verdict:
        """A replica set, a sharded cluster, or nothing that has change streams: asked before anyone signs in."""
        with client(self._directly(), timeouts=_QUICK) as direct:
            self._hello = check_replica_set(direct)
        name, wanted = self._hello.get("setName"), option(self._uri, "replicaSet")
        if wanted and name and name != wanted:
            return fail(f"the replica set is called {name}", f"set replicaSet={name} in TAILER_MONGODB_URI")
        if name is None:
            return ok("a router of a sharded cluster")
        return ok(f"replica set {name}, primary {self._hello.get('primary', 'unknown')}")

    def sign_in(self) -> Verdict:
        """Whether the credentials are right, as whom, and which version answers."""
        with mongodb_errors():
            self.client.admin.command("ping")
            build = self.client.admin.command("buildInfo")
            if not self._names_a_user:  # whoever may come in unnamed may ask this too
                self.client.admin.command("listDatabases", nameOnly=True)
        self.version = tuple(build["versionArray"][:2])
        product = f"{'DocumentDB' if self.documentdb else 'MongoDB'} {build['version']}"
        told = f"{self._user()}; {product}"
        if self.documentdb and self.version < _OLDEST_DOCUMENTDB:
            return fail(told, "upgrade the cluster: 5.0 is the oldest that works")
        return ok(told)

    def clock(self) -> Verdict:
        """How far the server's clock is from ours. Nothing compares them but the figures that people look at."""
        with mongodb_errors():
            theirs = self.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
        return skewed("the database's clock", (theirs - self._now()).total_seconds())

    def _user(self) -> str:
        try:
            users = self.client.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"]
        except PyMongoError:
            users = []
        mechanism = f", with {name}" if (name := option(self._uri, "authMechanism")) else ""
        if users:
            return f"signed in as {users[0]['user']} of {users[0]['db']}{mechanism}"
        return f"signed in{mechanism}" if self._names_a_user else "without a user"

    @property
    def _names_a_user(self) -> bool:
        return bool(self._settings.mongodb_username) or names_a_user(self._uri)

    def _directly(self) -> str:
        """To the host that answers, with the same TLS and without credentials."""
        host, port = self._network.host
        said = {name: value for name in _TLS if (value := option(self._uri, name)) is not None}
        if self._uri.startswith("mongodb+srv://"):
            said.setdefault("tls", "true")
        options = "".join(f"&{name}={quote(value)}" for name, value in said.items())
        return f"mongodb://{f'[{host}]' if ':' in host else host}:{port}/?directConnection=true{options}"


def skewed(whose: str, ahead: float) -> Verdict:
    """A clock that is so many seconds ahead of ours."""
    told = f"{whose} is {abs(ahead):.1f} s {'ahead of' if ahead >= 0 else 'behind'} ours"
    return ok(told) if abs(ahead) <= _SKEW else warn(told, "set both by NTP: lag and headroom are wrong by as much")
