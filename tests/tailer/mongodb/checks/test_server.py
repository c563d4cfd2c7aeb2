"""The doctor's checks of the network, TLS and the database, on real servers or an emulated DocumentDB."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.checks import Finding, State, clock_difference
from tailer.mongodb.checks.encryption import Encryption
from tailer.mongodb.checks.network import Network
from tailer.mongodb.checks.server import Server
from tailer.mongodb.connection.client import QUICK, client
from tailer.mongodb.connection.uri import UNVERIFIED
from tailrace.dev.loopback import HOST, free_port
from tests.tailer.checked import Doctor
from tests.tailer.servers import mongod, with_tls, with_users

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BEHIND_THE_DATABASE = {"stream.enabled", "stream.readable", "stream.documents", "stream.history"}

Door = Callable[[str], tuple[Network, Encryption, Server]]
"""The first looks at a cluster, by its URI."""


@pytest.fixture
def looked() -> Iterator[Door]:
    opened: dict[str, MongoClient[Any]] = {}

    def at(uri: str) -> tuple[Network, Encryption, Server]:
        def signed_in() -> "MongoClient[Any]":
            if uri not in opened:
                opened[uri] = client(uri, timeouts=QUICK)
            return opened[uri]

        network, server = Network(uri), Server(uri, "", signed_in, now=lambda: datetime.now(UTC))
        return network, Encryption(uri, network, now=lambda: NOW), server

    yield at
    for one in opened.values():
        one.close()


def test_unreachable_database_fails_once(doctor: Doctor) -> None:
    """Dependent checks are skipped with the reason; the store and the queue are checked. The exit code is 1, an outage."""
    report = doctor(TAILER_MONGODB_URI=f"mongodb://{HOST}:{free_port()}/")
    assert report.failed == {"database.reachable", "forwarder.mapping"}
    assert "refuses" in report["database.reachable"][1]
    assert {name for name, finding in report.findings.items() if finding["state"] == "skip"} >= BEHIND_THE_DATABASE
    assert report["checkpoints.write"][0] == report["queue.send"][0] == "ok"
    there = doctor(TAILER_CHECKPOINTS="mongodb:")
    assert there.failed == report.failed
    assert there["checkpoints.read"][0] == there["checkpoints.write"][0] == "skip"


@pytest.mark.parametrize(
    ("uri", "words", "code"),
    [
        (f"mongodb://{HOST}:1/", "start the database, or correct the port", 1),
        ("mongodb://nowhere.invalid/", "VPC's DNS", 1),
        ("mongodb+srv://nowhere.invalid/", "unknown to DNS", 2),
    ],
)
def test_unreachable_host_is_distinguished_by_name_port_and_network(uri: str, words: str, code: int) -> None:
    """Each needs another person."""
    verdict = Network(uri).reachable()
    assert (verdict.state, verdict.exit_code) == (State.FAIL, code)
    assert words in f"{verdict.found} {verdict.remedy}"


@pytest.mark.parametrize("secret", ["p@elsewhere/x", "p@ss", "p/ss"])
def test_unescaped_password_is_no_dns_error(doctor: Doctor, secret: str) -> None:
    """The exit code is 2, as of a tailer, and nothing of the password is shown."""
    report = doctor(TAILER_MONGODB_URI=f"mongodb://tailer:{secret}@localhost:1/?replicaSet=rs0")
    assert report.failed == {"settings"}
    assert "%2F for /" in report["settings"][1]
    assert secret not in str(report.findings)
    assert "elsewhere" not in str(report.findings)
    assert report.code == 2


def test_connection_timeout_points_to_the_security_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is a response; a timeout is a network problem."""

    def silent(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("socket.create_connection", silent)
    assert "security group" in Network("mongodb://db.example/").reachable().remedy


def test_one_reachable_host_is_enough(stack: DevStack) -> None:
    """The unreachable one is named, since it could not take over."""
    network = Network(f"mongodb://{HOST}:1,{HOST}:{stack.mongod.ports[0]}/")
    verdict = network.reachable()
    assert verdict.state is State.WARN
    assert "refuses" in verdict.found
    assert network.host == (HOST, stack.mongod.ports[0])


def test_standalone_server_is_reported(doctor: Doctor) -> None:
    """Without a sign-in, with the remedy. The exit code is 2."""
    with mongod() as port:
        report = doctor(TAILER_MONGODB_URI=f"mongodb://{HOST}:{port}/")
    assert "rs.initiate()" in report["database.server"][1]
    assert report["database.sign-in"][0] == "skip"
    assert report.code == 2


def test_wrong_replica_set_name_is_reported(stack: DevStack, looked: Door) -> None:
    """A driver would only time out."""
    network, _, database = looked(stack.mongodb_uri.replace("rs0", "rs1"))
    assert network.reachable().state is State.OK
    verdict = database.server()
    assert verdict.state is State.FAIL
    assert "replicaSet=rs0" in verdict.remedy


def test_wrong_password_and_missing_right_are_distinguished(doctor: Doctor, fresh: str, tmp_path: Path) -> None:
    """The one fails the sign-in and the other the stream. No password is shown."""
    with with_users(tmp_path, fresh) as server:
        uri = f"mongodb://{server}/?replicaSet=rs0"
        wrong = doctor(TAILER_MONGODB_URI=uri, TAILER_MONGODB_USERNAME="tailer", TAILER_MONGODB_PASSWORD="not-it")
        nobody = doctor(TAILER_MONGODB_USERNAME="nobody", TAILER_MONGODB_PASSWORD="nobody-password")
        reader = doctor(TAILER_MONGODB_USERNAME="tailer", TAILER_MONGODB_PASSWORD="tailer-password")
        admin: MongoClient[dict[str, Any]]
        with MongoClient(uri, username="admin", password="admin-password") as admin:
            admin.admin.command("grantRolesToUser", "tailer", roles=[{"role": "read", "db": "local"}])
        told = doctor()
        unnamed = doctor(TAILER_MONGODB_USERNAME="", TAILER_MONGODB_PASSWORD="")
    assert "database.sign-in" in wrong.failed
    assert "wrong user name or password" in wrong["database.sign-in"][1]
    assert "not-it" not in str(wrong.findings)
    assert wrong.code == nobody.code == 2
    assert "signed in as nobody of admin" in nobody["database.sign-in"][1]
    assert "stream.readable" in nobody.failed
    assert "grant it read" in nobody["stream.readable"][1]
    assert reader["stream.readable"][0] == "ok"
    assert reader["stream.history"][0] == "warn"
    assert "read on the database local" in reader["stream.history"][1]  # the oplog is not for it
    assert "change_stream_log_retention_duration" not in reader["stream.history"][1]  # Only DocumentDB has this setting.
    assert "s of history" in told["stream.history"][1]
    assert "database.sign-in" in unnamed.failed
    assert "set TAILER_MONGODB_USERNAME and TAILER_MONGODB_PASSWORD" in unnamed["database.sign-in"][1]
    assert unnamed.code == 2


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command, to make a certificate")
def test_tls_is_checked_before_the_sign_in(tmp_path: Path, looked: Door) -> None:
    """Version, CA and expiry are reported. An unknown CA, another host name and missing TLS are distinguished."""
    with with_tls(tmp_path) as (port, authority):

        def tls(host: str, options: str) -> Finding:
            network, encryption, _ = looked(f"mongodb://{host}:{port}/?tls=true{options}")
            assert network.reachable().state is State.OK
            return encryption.tls()

        good = tls("localhost", f"&tlsCAFile={authority}")
        assert good.state is State.OK
        assert "TLSv1.3" in good.found
        assert "certificate until 202" in good.found
        unknown = tls("localhost", "")
        assert (unknown.state, unknown.exit_code) == (State.FAIL, 2)
        assert "tlsCAFile" in unknown.remedy
        assert "mismatch" in tls(HOST, f"&tlsCAFile={authority}").found
        for option in UNVERIFIED:
            verdict = tls("localhost", f"&tlsCAFile={authority}&{option.lower()}=true")
            assert verdict.state is State.WARN
            assert f"remove {option}=true, and set tlsCAFile" in verdict.remedy
        network, _, database = looked(f"mongodb://localhost:{port}/?replicaSet=rs0&tls=true&tlsCAFile={authority}")
        network.reachable()
        assert database.server().state is database.sign_in().state is State.OK


def test_server_without_tls_is_reported(stack: DevStack, looked: Door) -> None:
    """Not as an outage."""
    network, encryption, _ = looked(f"mongodb://{HOST}:{stack.mongod.ports[0]}/?tls=true")
    network.reachable()
    verdict = encryption.tls()
    assert verdict.state is State.FAIL
    assert "remove tls=true" in verdict.remedy


def test_missing_tls_is_fine_on_localhost_only(looked: Door) -> None:
    """Elsewhere it is a warning."""
    assert looked("mongodb://localhost/")[1].tls().state is State.OK
    assert looked("mongodb://10.0.0.7/")[1].tls().state is State.WARN


def test_documentdb_is_recognised_and_must_be_enabled(doctor: Doctor, documentdb: DocumentdbDialect, fresh: str) -> None:
    """Without the right to list change streams the check is skipped, and names the right."""
    missing = doctor(TAILER_MONGODB_URI=documentdb.uri)
    assert "DocumentDB 5.0.0" in missing["database.sign-in"][1]
    assert "run tailer change-streams enable" in missing["stream.enabled"][1]
    assert "TAILER_HISTORY_SECONDS" in missing["stream.history"][1]
    assert missing.code == 2
    documentdb.enabled = {(fresh, "")}
    assert doctor(TAILER_HISTORY_SECONDS="86400")["stream.enabled"][0] == "ok"
    documentdb.denied = {"$listChangeStreams"}
    denied = doctor()
    assert denied["stream.enabled"][0] == "skip"
    assert "listChangeStreams" in denied["stream.enabled"][1]


def test_old_documentdb_is_reported(documentdb: DocumentdbDialect, looked: Door) -> None:
    """The minimum is 5.0."""
    documentdb.values["server_version"] = "4.0.0"
    network, _, database = looked(documentdb.uri)
    network.reachable()
    database.server()
    assert database.sign_in().state is State.FAIL


def test_role_sign_in_reports_its_mechanism(
    documentdb: DocumentdbDialect, looked: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none of its credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATASK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    documentdb.keys = {"AKIATASK"}
    network, _, database = looked(documentdb.uri + "&authMechanism=MONGODB-AWS&authSource=$external")
    network.reachable()
    database.server()
    found = database.sign_in().found
    assert "MONGODB-AWS" in found
    assert "hunter2" not in found


@pytest.mark.parametrize(("seconds", "state"), [(0.4, State.OK), (-4.9, State.OK), (5.1, State.WARN), (-400, State.WARN)])
def test_clock_skew_is_never_a_failure(seconds: float, state: State) -> None:
    """Only metrics depend on the clocks."""
    verdict = clock_difference("the database's clock", seconds)
    assert verdict.state is state
    assert ("ahead of" if seconds > 0 else "behind") in verdict.found


def test_certificate_that_expires_soon_is_a_warning() -> None:
    """A month before it expires."""
    encryption = Encryption("mongodb://db.example/?tls=true", Network(""), now=lambda: NOW)
    for days, state in ((31, State.OK), (29, State.WARN)):
        end = (NOW + timedelta(days=days)).strftime("%b %d %H:%M:%S %Y GMT")
        assert encryption._judged(end, "TLSv1.3").state is state
