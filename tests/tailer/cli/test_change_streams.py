"""``tailer change-streams`` enables change streams on DocumentDB, exactly for what is watched, and disables them."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.cli.command_line import command_line
from tests.tailer.parts import closed_clients

Run = Callable[..., tuple[int, str, str]]

READER = "arn:aws:iam::123456789012:role/tailer"
STREAMS = """
[payments]
database = "payments"
collections = ["payments", "refunds"]

[orders]
database = "orders"
"""


@pytest.fixture
def documentdb(stack: DevStack) -> Iterator[DocumentdbDialect]:
    with DocumentdbDialect(stack.mongod.ports[0]) as dialect:
        yield dialect


@pytest.fixture
def tailer(
    stack: DevStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Run the command line with the streams in the environment, as in a deployment."""
    monkeypatch.chdir(tmp_path)
    for name, value in stack.tailer_environment.items():
        monkeypatch.setenv(name, value)
    for name in ("STREAM", "DATABASE", "COLLECTIONS"):
        monkeypatch.delenv(f"TAILER_{name}")
    monkeypatch.setenv("TAILER_CONFIG_TOML", STREAMS)

    with closed_clients() as parts:

        def run(*arguments: str) -> tuple[int, str, str]:
            code = command_line(["change-streams", *arguments], threading.Event(), parts)
            return code, *capsys.readouterr()

        yield run


@pytest.fixture
def on_documentdb(documentdb: DocumentdbDialect, tailer: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TAILER_MONGODB_URI", documentdb.uri)
    return tailer


def test_enable_covers_exactly_what_is_watched(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    """Named collections, or a whole database. A second run changes nothing."""
    assert on_documentdb("enable")[0] == 0
    assert documentdb.enabled == {("payments", "payments"), ("payments", "refunds"), ("orders", "")}
    changes = len(documentdb.seen)
    code, out, _ = on_documentdb("enable")
    assert code == 0
    assert out.count("enabled already") == 3
    assert len(documentdb.seen) == changes


def test_whole_cluster_is_enabled_for_a_cluster_stream(
    documentdb: DocumentdbDialect, on_documentdb: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both names are empty then."""
    monkeypatch.setenv("TAILER_CONFIG_TOML", '[all]\ndatabase = "*"')
    assert on_documentdb("enable", "--reader", READER)[0] == 0
    assert documentdb.enabled == {("", "")}
    assert documentdb.users[READER] == [{"role": "readAnyDatabase", "db": "admin"}]


@pytest.mark.parametrize(
    ("collections", "scopes", "reads"),
    [
        ('["shop.orders", "bank.loans"]', {("shop", "orders"), ("bank", "loans")}, ["bank", "shop"]),
        ('["shop.orders", "bank.*"]', {("shop", "orders"), ("bank", "")}, ["bank", "shop"]),
        ('["shop.fs.files", "shop.*"]', {("shop", "")}, ["shop"]),
        ('["orders", "refunds"]', {("", "")}, []),
    ],
)
def test_enable_covers_only_named_collections_of_a_cluster_stream(
    documentdb: DocumentdbDialect,
    on_documentdb: Run,
    monkeypatch: pytest.MonkeyPatch,
    collections: str,
    scopes: set[tuple[str, str]],
    reads: list[str],
) -> None:
    """A collection in every database needs the whole cluster. Its reader likewise."""
    monkeypatch.setenv("TAILER_CONFIG_TOML", f'[all]\ndatabase = "*"\ncollections = {collections}')
    assert on_documentdb("enable", "--reader", READER)[0] == 0
    assert documentdb.enabled == scopes
    some = [{"role": "read", "db": name} for name in reads]
    assert documentdb.users[READER] == (some or [{"role": "readAnyDatabase", "db": "admin"}])


def test_wider_scope_is_neither_narrowed_nor_disabled(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    """Others may read it."""
    documentdb.enabled = {("payments", "")}
    assert "enabled already, by payments.*" in on_documentdb("enable")[1]
    code, out, _ = on_documentdb("disable")
    assert code == 0
    assert "enabled by payments.*, which is left as it is" in out
    assert documentdb.enabled == {("payments", "")}


def test_stream_within_another_needs_no_scope_of_its_own(
    documentdb: DocumentdbDialect, on_documentdb: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    within = '[all]\ndatabase = "payments"\n[some]\ndatabase = "payments"\ncollections = ["refunds"]'
    monkeypatch.setenv("TAILER_CONFIG_TOML", within)
    assert "enabled already, by payments.*" in on_documentdb("enable")[1]
    assert documentdb.enabled == {("payments", "")}
    assert on_documentdb("disable")[0] == 0
    assert documentdb.enabled == set()


def test_disable_reverses_enable(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    """The scopes and the reader. A second run does no harm."""
    on_documentdb("enable", "--reader", READER)
    for _ in range(2):
        assert on_documentdb("disable", "--reader", READER)[0] == 0
    assert documentdb.enabled == set()
    assert documentdb.users == {}


def test_reader_gets_only_the_rights_for_what_is_watched(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    """A user of ``$external`` that signs in with IAM only. Other roles are revoked."""
    assert on_documentdb("enable", "--reader", READER)[0] == 0
    reads = [{"role": "read", "db": "orders"}, {"role": "read", "db": "payments"}]
    assert documentdb.seen[-1] == {"createUser": READER, "mechanisms": ["MONGODB-AWS"], "roles": reads}
    documentdb.users[READER] = [*reads, {"role": "root", "db": "admin"}]
    assert on_documentdb("enable", "--reader", READER)[0] == 0
    assert documentdb.users[READER] == reads
    changes = len(documentdb.seen)
    assert "may read on orders, read on payments already" in on_documentdb("enable", "--reader", READER)[1]
    assert len(documentdb.seen) == changes


def test_reader_may_write_checkpoints_in_the_same_cluster(
    documentdb: DocumentdbDialect, on_documentdb: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In their own database."""
    monkeypatch.setenv("TAILER_CHECKPOINTS", "mongodb:")
    on_documentdb("enable", "--reader", READER)
    assert {"role": "readWrite", "db": "tailrace"} in documentdb.users[READER]


def test_dry_run_of_enable_changes_nothing(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    code, out, _ = on_documentdb("enable", "--reader", READER, "--dry-run", "--json")
    assert code == 0
    assert json.loads(out) == {
        "dryRun": True,
        "done": {
            "orders.*": "enabled",
            "payments.payments": "enabled",
            "payments.refunds": "enabled",
            READER: "created; may read on orders, read on payments",
        },
    }
    assert (documentdb.enabled, documentdb.users, documentdb.seen) == (set(), {}, [])


def test_show_lists_enabled_scopes_per_stream(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    """With the command for missing ones."""
    documentdb.enabled = {("payments", "payments"), ("orders", "")}
    code, out, _ = on_documentdb("show")
    assert code == 0
    assert out.split("\n")[:6] == [
        "payments",
        "  payments.payments  enabled",
        "  payments.refunds   not enabled: tailer change-streams enable",
        "orders",
        "  orders.*  enabled",
        "",
    ]
    assert json.loads(on_documentdb("show", "--json", "--stream", "orders")[1]) == {
        "needed": True,
        "streams": {"orders": {"orders.*": "enabled"}},
    }


@pytest.mark.parametrize(
    ("denied", "words"),
    [("$listChangeStreams", "clusterAdmin"), ("modifyChangeStreams", "clusterAdmin"), ("createUser", "userAdminAnyDatabase")],
)
def test_denied_enable_names_the_user_it_needs(
    documentdb: DocumentdbDialect, on_documentdb: Run, denied: str, words: str
) -> None:
    documentdb.denied = {denied}
    code, _, err = on_documentdb("enable", "--reader", READER)
    assert code == 2
    assert words in err


@pytest.mark.parametrize(
    "principal", ["tailer", "arn:aws:iam::1:role/x", "arn:aws:sts::123456789012:assumed-role/x/y", READER + ' "']
)
def test_reader_must_be_an_iam_role_or_user(documentdb: DocumentdbDialect, on_documentdb: Run, principal: str) -> None:
    """This is checked first."""
    code, _, err = on_documentdb("enable", "--reader", principal)
    assert code == 2
    assert "--reader" in err
    assert documentdb.seen == []


def test_mongodb_needs_no_enabling(tailer: Run) -> None:
    """Every command says so and succeeds."""
    for command in (["show"], ["enable", "--reader", READER], ["disable"], ["enable", "--dry-run"]):
        code, out, err = tailer(*command)
        assert (code, err) == (0, "")
        assert "nothing to do" in out
    assert json.loads(tailer("show", "--json")[1])["needed"] is False


def test_run_refuses_a_stream_that_is_not_enabled(stack: DevStack, documentdb: DocumentdbDialect, fresh: str) -> None:
    """It would open and stay empty."""
    documentdb.enabled = {(fresh, "refunds")}
    tailer = stack.start_tailer(mongodb_uri=documentdb.uri, stream=fresh, database=fresh, collections="payments,refunds")
    assert tailer.process._process.wait(60) == 2
    last = json.loads(tailer.process.log_tail(1))
    assert f"not enabled for {fresh}.payments, so" in last["message"]
    assert "tailer change-streams enable" in last["message"]


def test_run_needs_no_right_to_list_change_streams(stack: DevStack, documentdb: DocumentdbDialect, fresh: str) -> None:
    documentdb.denied = {"$listChangeStreams"}
    tailer = stack.start_tailer(mongodb_uri=documentdb.uri, stream=fresh, database=fresh, collections="")
    tailer.wait_ready()
    assert tailer.stop() == 0
