"""How the tailer connects to a cluster: with TLS for DocumentDB, a password from a secret, or an IAM role."""

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
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.checklist import all_checks
from tailer.checks import State
from tailer.errors import Misconfigured, Unavailable
from tailer.mongodb.checks.encryption import tls_at_start, tls_of
from tailer.mongodb.connection.client import client, connect
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.connection.uri import AMAZON_RDS, UNVERIFIED, encrypted, hosts
from tailer.parts import Parts
from tailer.settings.settings import load
from tailrace.dev.loopback import HOST, free_port

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
def test_documentdb_connection_uses_tls_with_the_shipped_ca_bundle(uri: str) -> None:
    """No setting, download or mount is needed."""
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
def test_tls_option_of_the_uri_wins(uri: str, expected: bool) -> None:
    """TLS is not forced on other servers, and can be switched off."""
    assert encrypted(uri) is expected
    if "srv" not in uri:
        with client(uri) as one:
            assert (one.options.pool_options._ssl_context is not None) is expected


def test_threads_share_the_client_of_a_cluster() -> None:
    """Each check of the doctor runs in its own thread."""
    with ThreadPoolExecutor(8) as threads:
        clients = list(threads.map(lambda _: connect("mongodb://none.of.these/"), range(32)))
    assert len({id(one) for one in clients}) == 1


def test_connecting_threads_keep_the_warning_filters() -> None:
    """pymongo's warning about DocumentDB is ignored in every thread, and no other warning is lost."""
    code = f"""
import warnings
from concurrent.futures import ThreadPoolExecutor
from tailer.mongodb.connection.client import client
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


def test_documentdb_without_tls_gets_a_warning() -> None:
    for uri, state in ((DOCUMENTDB, State.OK), ("mongodb://localhost/", State.OK), (DOCUMENTDB + "&tls=false", State.WARN)):
        assert tls_at_start(uri, "TAILER_MONGODB_URI").state is state
    assert tls_at_start(DOCUMENTDB + "&tls=false", "TAILER_MONGODB_URI").remedy == "remove tls=false"


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
def test_unverified_server_is_reported_at_the_start_and_by_the_doctor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, scheme: str, setting: str, spelt: str, told: bool
) -> None:
    """For each option in any case, in both URIs. Nothing before the @ is repeated."""
    monkeypatch.chdir(tmp_path)
    for variable, value in A_TASK.items():
        monkeypatch.setenv(variable, value)
    for as_written in (name, name.lower(), name.upper()):
        uri = f"{scheme}://user:secret@db.example/{spelt.format(as_written)}"
        monkeypatch.setenv(setting, uri)
        findings = [
            check.at_start() for check in all_checks([Parts(one) for one in load()]) if ".tls" in check.name and check.at_start
        ]
        said = [str(finding) for finding in findings if finding.state is State.WARN]
        assert [advice.startswith(f"{setting} has {name}=true: the ") for advice in said] == [True] * told
        assert "secret" not in "".join(said)
        finding = tls_of(uri, setting)
        assert (f"{name}=true" in finding.found, "tlsCAFile" in finding.remedy) == (told, told)


def test_other_ca_bundle_can_be_configured() -> None:
    """For a region that is newer than the shipped bundle. A missing file is a wrong setting."""
    with client(DOCUMENTDB + f"&tlsCAFile={ssl.get_default_verify_paths().cafile or AMAZON_RDS}"):
        pass
    with pytest.raises(Misconfigured, match="the path of a file that can be read here"):
        client(DOCUMENTDB + "&tlsCAFile=/nowhere.pem")


def test_shipped_ca_bundle_is_amazons_and_valid() -> None:
    """It is pinned, and CAs that expire by 2060 are left out."""
    assert hashlib.sha256(AMAZON_RDS.read_bytes()).hexdigest() == SHIPPED
    authorities = ssl.create_default_context(cafile=AMAZON_RDS).get_ca_certs()
    ends = [datetime.fromtimestamp(ssl.cert_time_to_seconds(str(one["notAfter"])), UTC) for one in authorities]
    names = [dict(part[0] for part in one["subject"])["commonName"] for one in authorities]  # type: ignore[misc]
    assert min(ends) > datetime(2060, 1, 1, tzinfo=UTC)
    assert all(name.startswith("Amazon RDS ") and "Root CA" in name for name in names)
    assert {
        region for region in ("eu-west-1", "us-east-1", "ap-southeast-2") if not any(region in name for name in names)
    } == set()


def test_hosts_of_a_uri_are_parsed() -> None:
    """Ports, several hosts, passwords with special characters, IP addresses, and SRV names."""
    assert hosts("mongodb://a:1,b.example/?x=y") == [("a", 1), ("b.example", 27017)]
    assert hosts("mongodb://user:p%40ss:word@a:1/db") == [("a", 1)]
    assert hosts("mongodb://[::1]:1,[fe80::1]") == [("::1", 1), ("fe80::1", 27017)]
    assert hosts("mongodb+srv://user@cluster.example/") == [("cluster.example", 0)]


def test_password_setting_needs_no_escapes(stack: DevStack, fresh: str) -> None:
    """A deployment reads it from a secret."""
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
    """Emulate the ECS endpoint that gives a task the credentials of its role."""
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


def test_task_signs_in_as_its_role(documentdb: DocumentdbDialect, task_role: None) -> None:
    """With the credentials that ECS gives it and without a password."""
    documentdb.keys = {"ASIATASK"}
    ping(documentdb.uri)
    assert {"signIn": "ASIATASK", "token": "t0ken"} in documentdb.seen


def test_role_without_a_user_gets_the_command_that_creates_it(documentdb: DocumentdbDialect, task_role: None) -> None:
    """The message repeats no credentials."""
    with pytest.raises(Misconfigured, match="change-streams enable --reader ROLE_ARN") as caught:
        ping(documentdb.uri)
    assert not {"s3cr3t", "t0ken", "ASIATASK"} & set(str(caught.value).split())


def test_task_without_a_role_is_unavailable_and_names_the_cause(
    documentdb: DocumentdbDialect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The credentials endpoint may only be late, so the error is retried."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://{HOST}:{free_port()}/")
    monkeypatch.setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(Unavailable, match="MONGODB-AWS needs a task role"):
        ping(documentdb.uri)
