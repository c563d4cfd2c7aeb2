"""``tailer change-streams``: what DocumentDB keeps is enabled by hand, for no more than is watched, and undone the same way."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack import DevStack
from tailer.cli.command_line import command_line
from tests.documentdb import DocumentdbDialect
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
    """The command line with its streams in the environment, as a task of a deployment has them."""
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


def test_exactly_what_is_watched_is_enabled(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    """Collections by name, a whole database where the stream says so; once is enough."""
    assert on_documentdb("enable")[0] == 0
    assert documentdb.enabled == {("payments", "payments"), ("payments", "refunds"), ("orders", "")}
    changes = len(documentdb.seen)
    code, out, _ = on_documentdb("enable")
    assert code == 0
    assert out.count("enabled already") == 3
    assert len(documentdb.seen) == changes


def test_the_whole_cluster_is_enabled_for_a_stream_over_all_of_it(
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
def test_of_the_cluster_no_more_is_enabled_than_is_named(
    documentdb: DocumentdbDialect,
    on_documentdb: Run,
    monkeypatch: pytest.MonkeyPatch,
    collections: str,
    scopes: set[tuple[str, str]],
    reads: list[str],
) -> None:
    """Collections and databases by their names; a collection of every database takes the whole cluster. Its reader likewise."""
    monkeypatch.setenv("TAILER_CONFIG_TOML", f'[all]\ndatabase = "*"\ncollections = {collections}')
    assert on_documentdb("enable", "--reader", READER)[0] == 0
    assert documentdb.enabled == scopes
    some = [{"role": "read", "db": name} for name in reads]
    assert documentdb.users[READER] == (some or [{"role": "readAnyDatabase", "db": "admin"}])


def test_what_is_enabled_for_more_is_left_as_it_is(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    """Neither narrowed nor disabled: others may read it."""
    documentdb.enabled = {("payments", "")}
    assert "enabled already, by payments.*" in on_documentdb("enable")[1]
    code, out, _ = on_documentdb("disable")
    assert code == 0
    assert "enabled by payments.*, which is left as it is" in out
    assert documentdb.enabled == {("payments", "")}


def test_a_stream_within_another_needs_nothing_of_its_own(
    documentdb: DocumentdbDialect, on_documentdb: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wider one is enabled first, and covers it."""
    within = '[all]\ndatabase = "payments"\n[some]\ndatabase = "payments"\ncollections = ["refunds"]'
    monkeypatch.setenv("TAILER_CONFIG_TOML", within)
    assert "enabled already, by payments.*" in on_documentdb("enable")[1]
    assert documentdb.enabled == {("payments", "")}
    assert on_documentdb("disable")[0] == 0
    assert documentdb.enabled == set()


def test_disabling_undoes_enabling(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    """The scopes and the reader; once more does no harm."""
    on_documentdb("enable", "--reader", READER)
    for _ in range(2):
        assert on_documentdb("disable", "--reader", READER)[0] == 0
    assert documentdb.enabled == set()
    assert documentdb.users == {}


def test_a_reader_may_read_what_is_watched_and_nothing_else(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    """A user of ``$external`` with IAM as its only way in; what it could do besides is taken from it."""
    assert on_documentdb("enable", "--reader", READER)[0] == 0
    reads = [{"role": "read", "db": "orders"}, {"role": "read", "db": "payments"}]
    assert documentdb.seen[-1] == {"createUser": READER, "mechanisms": ["MONGODB-AWS"], "roles": reads}
    documentdb.users[READER] = [*reads, {"role": "root", "db": "admin"}]
    assert on_documentdb("enable", "--reader", READER)[0] == 0
    assert documentdb.users[READER] == reads
    changes = len(documentdb.seen)
    assert "may read on orders, read on payments already" in on_documentdb("enable", "--reader", READER)[1]
    assert len(documentdb.seen) == changes


def test_a_reader_that_keeps_its_checkpoints_there_may_write_them(
    documentdb: DocumentdbDialect, on_documentdb: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the database that is only for them."""
    monkeypatch.setenv("TAILER_CHECKPOINTS", "mongodb:")
    on_documentdb("enable", "--reader", READER)
    assert {"role": "readWrite", "db": "tailrace"} in documentdb.users[READER]


def test_a_dry_run_changes_nothing_and_says_what_it_would(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    """For people, and for scripts."""
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


def test_what_is_enabled_is_shown_stream_by_stream(documentdb: DocumentdbDialect, on_documentdb: Run) -> None:
    """And the command that is missing."""
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
def test_who_may_not_is_told_which_user_may(documentdb: DocumentdbDialect, on_documentdb: Run, denied: str, words: str) -> None:
    """Not that a tailer needs more rights: it does not."""
    documentdb.denied = {denied}
    code, _, err = on_documentdb("enable", "--reader", READER)
    assert code == 2
    assert words in err


@pytest.mark.parametrize(
    "principal", ["tailer", "arn:aws:iam::1:role/x", "arn:aws:sts::123456789012:assumed-role/x/y", READER + ' "']
)
def test_a_reader_is_an_iam_role_or_user(documentdb: DocumentdbDialect, on_documentdb: Run, principal: str) -> None:
    """A user with a password is not made here; nothing is touched before the name is checked."""
    code, _, err = on_documentdb("enable", "--reader", principal)
    assert code == 2
    assert "--reader" in err
    assert documentdb.seen == []


def test_on_mongodb_nothing_needs_enabling(tailer: Run) -> None:
    """A real server: every command says so, changes nothing and succeeds, so that a deployment need not know which it is."""
    for command in (["show"], ["enable", "--reader", READER], ["disable"], ["enable", "--dry-run"]):
        code, out, err = tailer(*command)
        assert (code, err) == (0, "")
        assert "nothing to do" in out
    assert json.loads(tailer("show", "--json")[1])["needed"] is False


def test_run_says_that_nothing_would_arrive(stack: DevStack, documentdb: DocumentdbDialect, fresh: str) -> None:
    """A stream over what is not kept opens without an error and stays empty: the tailer refuses, and names the command."""
    documentdb.enabled = {(fresh, "refunds")}
    tailer = stack.start_tailer(mongodb_uri=documentdb.uri, stream=fresh, database=fresh, collections="payments,refunds")
    assert tailer.process._process.wait(60) == 2
    last = json.loads(tailer.process.log_tail(1))
    assert f"not enabled for {fresh}.payments, so" in last["message"]
    assert "tailer change-streams enable" in last["message"]


def test_run_does_not_ask_for_more_rights_than_it_needs(stack: DevStack, documentdb: DocumentdbDialect, fresh: str) -> None:
    """A reader may not list change streams; it starts and tails all the same."""
    documentdb.denied = {"$listChangeStreams"}
    tailer = stack.start_tailer(mongodb_uri=documentdb.uri, stream=fresh, database=fresh, collections="")
    tailer.wait_ready()
    assert tailer.stop() == 0
