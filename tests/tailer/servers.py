"""Servers of a single test with users, TLS, or no replica set, which the shared server does not have."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tailrace.dev.installed import mongod_binary
from tailrace.dev.loopback import HOST, free_port, wait_until
from tailrace.dev.workspace import Workspace

SUBJECT = "/CN=Test Authority"
CHURN = 1_000_000  # bytes of an unrelated document
FORGOTTEN_SECONDS = 60.0


@contextmanager
def mongod(*options: str) -> Iterator[int]:
    """Start a mongod and return its port."""
    with Workspace() as workspace:
        port, data = free_port(), workspace.folder / "data"
        data.mkdir()
        basics = ["--dbpath", str(data), "--port", str(port), "--bind_ip", HOST, "--nounixsocket"]
        child = workspace.spawn("mongod", [mongod_binary(), *basics, *options], {})
        wait_until(lambda: "Waiting for connections" in child.log_tail(500), child, 30)
        yield port


@contextmanager
def with_users(folder: Path, database: str) -> Iterator[str]:
    """
    Start a replica set and return HOST:PORT; ``admin`` may do anything, ``nobody`` nothing, and ``tailer`` may read one
    database.
    """
    key = folder / "key"
    key.write_text("0123456789abcdef")
    key.chmod(0o600)
    with mongod("--auth", "--keyFile", str(key), "--replSet", "rs0") as port:
        first: MongoClient[dict[str, Any]]
        with MongoClient(HOST, port, directConnection=True) as first:
            first.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"{HOST}:{port}"}]})
        with MongoClient(HOST, port, replicaSet="rs0") as first:
            first.admin.command("createUser", "admin", pwd="admin-password", roles=["root"])
        with MongoClient(HOST, port, replicaSet="rs0", username="admin", password="admin-password") as first:
            first.admin.command("createUser", "nobody", pwd="nobody-password", roles=[])
            reads = [{"role": "read", "db": database}]
            first.admin.command("createUser", "tailer", pwd="tailer-password", roles=reads)
        yield f"{HOST}:{port}"


@contextmanager
def with_short_history() -> Iterator["MongoClient[dict[str, Any]]"]:
    """Start a replica set that keeps about one MB of history."""
    with mongod("--replSet", "rs0", "--oplogSize", "1", "--syncdelay", "1") as port:
        first: MongoClient[dict[str, Any]]
        with MongoClient(HOST, port, directConnection=True) as first:
            first.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"{HOST}:{port}"}]})
        with MongoClient(HOST, port, replicaSet="rs0") as first:
            first.admin.command("ping")
            yield first


def drop_history(client: "MongoClient[dict[str, Any]]", until: Any) -> None:
    """Write unrelated documents until the server's history begins after that cluster time."""
    deadline, number = time.monotonic() + FORGOTTEN_SECONDS, 0
    while client.local["oplog.rs"].find_one(sort=[("$natural", 1)])["ts"] <= until:  # type: ignore[index]
        assert time.monotonic() < deadline, f"it remembers still, after {number} MB"
        number += 1
        client.elsewhere.churn.replace_one({"_id": 0}, {"pad": f"{number}" + "x" * CHURN}, upsert=True)


@contextmanager
def with_tls(folder: Path) -> Iterator[tuple[int, Path]]:
    """Start a replica set that only accepts TLS as ``localhost``, and return its port and the file of its CA."""
    authority = folder / "authority.pem"
    _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "authority.key", "-out", authority.name,
             "-days", "2", "-subj", SUBJECT)  # fmt: skip
    _openssl(
        folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost"
    )
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    _openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", authority.name, "-CAkey", "authority.key", "-CAcreateserial",
             "-out", "server.crt", "-days", "400", "-extfile", "names")  # fmt: skip
    both = folder / "server.pem"
    both.write_text((folder / "server.key").read_text() + (folder / "server.crt").read_text())
    tls = ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(both), "--tlsCAFile", str(authority)]
    with mongod(*tls, "--tlsAllowConnectionsWithoutCertificates", "--replSet", "rs0") as port:
        first: MongoClient[dict[str, Any]]
        with MongoClient("localhost", port, directConnection=True, tls=True, tlsCAFile=str(authority)) as first:
            first.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"localhost:{port}"}]})
        with MongoClient("localhost", port, replicaSet="rs0", tls=True, tlsCAFile=str(authority)) as first:
            first.admin.command("ping")
        yield port, authority


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
