"""How the tailer gets into a cluster: TLS where DocumentDB speaks it, a password from elsewhere, or an IAM role."""

import hashlib
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from devstack import DevStack
from devstack.loopback import HOST, free_port
from tailer.app import on_tls
from tailer.doctor.encryption import of_a_store
from tailer.errors import Misconfigured, Unavailable
from tailer.mongodb.client import client, connect
from tailer.mongodb.errors import mongodb_errors
from tailer.mongodb.uri import AMAZON_RDS, UNVERIFIED, encrypted, hosts
from tailer.preflight import advice_on_tls
from tailer.settings.settings import load
from tests.documentdb import DocumentdbDialect

A_TASK = {
    "TAILER_MONGODB_URI": "mongodb://db.example/",
    "TAILER_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/changes.fifo",
    "TAILER_CHECKPOINTS": "dynamodb://state",
    "TAILER_STREAM": "payments",
    "TAILER_DATABASE": "payments",
}
DOCUMENTDB = "mongodb://changes.cluster-cabc.eu-west-1.docdb.amazonaws.com:27017/?replicaSet=rs0"
CHINA = "mongodb://changes.cluster-cabc.docdb.cn-north-1.amazonaws.com.cn:27017/"
IAM = "&authSource=$external&authMechanism=MONGODB-AWS"
SHIPPED = "111f9b4e2c7fcfef28480de1577414f6b9cc3659358d6c152afcbf7b5e91d4e4"  # sha256


@pytest.mark.parametrize("uri", [DOCUMENTDB, DOCUMENTDB + "&tls=true", CHINA, DOCUMENTDB + IAM])
def test_documentdb_is_spoken_to_in_tls_with_the_authorities_that_are_shipped(uri: str) -> None:
    """Nothing has to be said, fetched or mounted for it."""
    with client(uri) as documentdb:
        context: Any = documentdb.options.pool_options._ssl_context
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert len(context.get_ca_certs()) == len(AMAZON_RDS.read_text().split("BEGIN CERTIFICATE")) - 1


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (DOCUMENTDB + "&tls=false", False),
        (DOCUMENTDB + "&ssl=false", False),
        ("mongodb://localhost/", False),
        ("mongodb://docdb.amazonaws.com.example.org/", False),
        ("mongodb://db.example.org/?tls=true", True),
        ("mongodb+srv://db.example.org/", True),
    ],
)
def test_what_the_uri_says_holds(uri: str, expected: bool) -> None:
    """TLS is neither forced on another server nor on whoever switches it off."""
    assert encrypted(uri) is expected
    if "srv" not in uri:
        with client(uri) as one:
            assert (one.options.pool_options._ssl_context is not None) is expected


def test_threads_share_the_client_of_a_cluster() -> None:
    """The doctor's checks each have their own."""
    with ThreadPoolExecutor(8) as threads:
        clients = list(threads.map(lambda _: connect("mongodb://none.of.these/"), range(32)))
    assert len({id(one) for one in clients}) == 1


def test_threads_that_connect_keep_the_filters_of_warnings_as_they_are() -> None:
    """What pymongo says of DocumentDB is no news, in any thread, and no other warning is lost by it."""
    code = f"""
import warnings
from concurrent.futures import ThreadPoolExecutor
from tailer.mongodb.client import client
before = list(warnings.filters)
with ThreadPoolExecutor(8) as threads:
    list(threads.map(lambda _: client({DOCUMENTDB + "&connect=false"!r}).close(), range(64)))
assert warnings.filters == before
try:
    warnings.warn("another")
except UserWarning:
    print("told")
"""
    ended = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("told\n", "")


def test_whoever_switches_tls_off_is_told_what_it_means() -> None:
    """DocumentDB without TLS is a choice; a warning says what for."""
    assert advice_on_tls(DOCUMENTDB) == []
    assert advice_on_tls("mongodb://localhost/") == []
    [advice] = advice_on_tls(DOCUMENTDB + "&tls=false")
    assert "remove tls=false" in advice


SPELT = [
    ("?tls=true&{}=true", True),
    ("?tls=true;{}=true", True),
    ("?{}=true&tls=true", True),
    ("?{}=true", True),
    ("?{}=false", False),
    ("?{}=false&tls=true", False),
    ("", False),
    ("?tlsDisableOCSPEndpointCheck=true", False),
]


@pytest.mark.parametrize(("spelt", "told"), SPELT)
@pytest.mark.parametrize("setting", ["TAILER_MONGODB_URI", "TAILER_CHECKPOINTS"])
@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
@pytest.mark.parametrize("name", UNVERIFIED)
def test_whoever_does_not_verify_the_server_is_told_at_the_start_and_by_the_doctor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, scheme: str, setting: str, spelt: str, told: bool
) -> None:
    """Each option, however it is written, in either URI; nothing before the @ is repeated."""
    monkeypatch.chdir(tmp_path)
    for variable, value in A_TASK.items():
        monkeypatch.setenv(variable, value)
    for as_written in (name, name.lower(), name.upper()):
        uri = f"{scheme}://user:secret@db.example/{spelt.format(as_written)}"
        monkeypatch.setenv(setting, uri)
        said = [advice for _, advice in on_tls(load())]
        assert [advice.startswith(f"{setting} has {name}=true: the ") for advice in said] == [True] * told
        assert "secret" not in "".join(said)
        verdict = of_a_store(uri)
        assert (f"{name}=true" in verdict.found, "tlsCAFile" in verdict.remedy) == (told, told)


def test_another_bundle_may_be_named() -> None:
    """For a region that is newer than ours; a file that is not there is a wrong setting."""
    with client(DOCUMENTDB + f"&tlsCAFile={ssl.get_default_verify_paths().cafile or AMAZON_RDS}"):
        pass
    with pytest.raises(Misconfigured, match="the path of a file that can be read here"):
        client(DOCUMENTDB + "&tlsCAFile=/nowhere.pem")


def test_the_shipped_authorities_are_amazons_and_still_valid() -> None:
    """Pinned; every one can be read and outlives 2026 by far: those that do not are left out."""
    assert hashlib.sha256(AMAZON_RDS.read_bytes()).hexdigest() == SHIPPED
    authorities = ssl.create_default_context(cafile=AMAZON_RDS).get_ca_certs()
    ends = [datetime.fromtimestamp(ssl.cert_time_to_seconds(str(one["notAfter"])), UTC) for one in authorities]
    names = [dict(part[0] for part in one["subject"])["commonName"] for one in authorities]  # type: ignore[misc]
    assert min(ends) > datetime(2060, 1, 1, tzinfo=UTC)
    assert all(name.startswith("Amazon RDS ") and "Root CA" in name for name in names)
    assert {
        region for region in ("eu-west-1", "us-east-1", "ap-southeast-2") if not any(region in name for name in names)
    } == set()


def test_hosts_are_read_as_they_are_written() -> None:
    """Ports, several of them, passwords with signs in them, addresses, and names that DNS resolves further."""
    assert hosts("mongodb://a:1,b.example/?x=y") == [("a", 1), ("b.example", 27017)]
    assert hosts("mongodb://user:p%40ss:word@a:1/db") == [("a", 1)]
    assert hosts("mongodb://[::1]:1,[fe80::1]") == [("::1", 1), ("fe80::1", 27017)]
    assert hosts("mongodb+srv://user@cluster.example/") == [("cluster.example", 0)]


def test_a_password_beside_the_uri_needs_no_escapes(stack: DevStack, fresh: str) -> None:
    """As a secret of a deployment gives it."""
    stack.mongo.admin.command("createUser", fresh, pwd="a/b@c:%", roles=[])
    with client(stack.mongodb_uri, username=fresh, password="a/b@c:%") as one:
        [user] = one.admin.command("connectionStatus")["authInfo"]["authenticatedUsers"]
    assert user == {"user": fresh, "db": "admin"}


@pytest.fixture
def documentdb(stack: DevStack) -> Iterator[DocumentdbDialect]:
    with DocumentdbDialect(stack.mongod.ports[0]) as dialect:
        yield dialect


@pytest.fixture
def task_role(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What ECS gives a task: an address on its own machine that answers with credentials of its role."""
    given = {"AccessKeyId": "ASIATASK", "SecretAccessKey": "s3cr3t", "Token": "t0ken", "Expiration": "2100-01-01T00:00:00Z"}

    class Agent(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(given).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer((HOST, 0), Agent) as agent:
        threading.Thread(target=agent.serve_forever, args=(0.01,), daemon=True).start()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://{HOST}:{agent.server_port}/")
        yield
        agent.shutdown()


@pytest.fixture(autouse=True)
def _no_credentials_of_other_tests() -> Iterator[None]:
    from pymongo_auth_aws.auth import set_cached_credentials  # type: ignore[import-untyped]

    yield
    set_cached_credentials(None)


def ping(uri: str) -> None:
    mongo: MongoClient[Any]
    with client(uri + IAM) as mongo, mongodb_errors():
        mongo.admin.command("ping")


def test_a_task_signs_in_as_its_role(documentdb: DocumentdbDialect, task_role: None) -> None:
    """With the credentials that ECS gives it, no password anywhere."""
    documentdb.keys = {"ASIATASK"}
    ping(documentdb.uri)
    assert {"signIn": "ASIATASK", "token": "t0ken"} in documentdb.seen


def test_a_role_that_has_no_user_is_told_which_command_makes_one(documentdb: DocumentdbDialect, task_role: None) -> None:
    """And none of its credentials."""
    with pytest.raises(Misconfigured, match="change-streams enable --reader ROLE_ARN") as caught:
        ping(documentdb.uri)
    assert not {"s3cr3t", "t0ken", "ASIATASK"} & set(str(caught.value).split())


def test_a_task_without_a_role_is_an_outage_that_names_what_is_missing(
    documentdb: DocumentdbDialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent that gives credentials may only be late; the words say what else it may be."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://{HOST}:{free_port()}/")
    monkeypatch.setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(Unavailable, match="MONGODB-AWS needs a task role"):
        ping(documentdb.uri)
