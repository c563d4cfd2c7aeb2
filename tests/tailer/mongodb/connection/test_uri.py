"""A URI with an unescaped password is refused wherever it is given, and the message repeats nothing of it."""

import io
import threading
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailer.cli.command_line import command_line
from tailer.doctor import hidden
from tailer.errors import Misconfigured, TailerError
from tailer.mongodb.checks.network import Network
from tailer.mongodb.connection.client import client
from tailer.mongodb.connection.errors import mongodb_errors
from tailer.mongodb.connection.uri import elastic, mistake
from tailer.settings.settings import load
from tailrace.dev.loopback import HOST, free_port

HERE = "localhost:1/?serverSelectionTimeoutMS=100"
TASK = {
    "TAILER_MONGODB_URI": f"mongodb://{HERE}",
    "TAILER_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/000000000000/changes.fifo",
    "TAILER_CHECKPOINTS": "dynamodb://state",
    "TAILER_STREAM": "payments",
    "TAILER_DATABASE": "payments",
    "TAILER_HTTP_PORT": "0",
}
UNESCAPED = "@:/?#%"
tokens = st.text("QXZJ", min_size=3, max_size=6)  # a word that no message has
passwords = st.lists(st.tuples(tokens, st.text(f"{UNESCAPED}[]+,;=&!$'()*\\ é", max_size=2)), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("mongodb://host", True),
        ("mongodb+srv://host/", True),
        ("mongodb://user:secret@host:27017/db?tls=true", True),
        ("mongodb://user:p%40s%2Fs%25@[::1]:27017,host", True),
        ("mongodb://user@host/?authMechanism=MONGODB-X509", True),
        ("mongodb://host/?appName=a%40b", True),
        ("mongodb://user:se@cret@host", False),
        ("mongodb://user:se/cret@host", False),
        ("mongodb://user:se:cret@host", False),
        ("mongodb://user:se#cret@host", False),
        ("mongodb://user:se?cret@host", False),
        ("mongodb://user:se%cret@host", False),
        ("mongodb://user:secret%@host", False),
        ("mongodb://us@er:secret@host", False),
        ("mongodb://user:secret@host/?appName=a@b", False),
        ("mongodb:/user:secret@host", False),
        ("mongo://host", False),
        ("user:secret@host", False),
        ("", False),
    ],
)
def test_uri_form_is_checked_first(uri: str, good: bool) -> None:
    """Exactly one ``@`` ends the credentials. The message says how to escape each character."""
    assert (mistake(uri) == "") is good
    assert "secret" not in mistake(uri)
    assert "cret" not in mistake(uri)


@given(passwords, st.sampled_from(["mongodb", "mongodb+srv"]), st.sampled_from(["TAILER_MONGODB_URI", "TAILER_CHECKPOINTS"]))
def test_no_part_of_a_password_is_ever_shown(parts: list[tuple[str, str]], scheme: str, setting: str) -> None:
    """Not by an error and its cause, by settings or by a client."""
    password = "".join(word + signs for word, signs in parts)
    uri = f"{scheme}://tailer:{password}@{HERE if scheme == 'mongodb' else 'localhost/'}"
    shown = [hidden(f"a library says {uri}"), mistake(uri)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**TASK, setting: uri}.items():
            patch.setenv(name, value)
        if mistake(uri):
            shown += [refusal_of(command) for command in ("run", "doctor", "status")]
        else:
            [settings] = load()
            shown += [repr(settings), settings.model_dump_json()]
    try:
        with client(uri, setting) as one:
            shown.append(repr(one))
    except Misconfigured as error:
        shown.append("".join(traceback.format_exception(error)))
    for word, _ in parts:
        assert word not in "".join(shown)


@pytest.mark.parametrize("signs", ["", "!$'()*,;=&", "[x]", "[", "\\", "+é"])
def test_unreachable_database_shows_only_its_hosts(signs: str) -> None:
    """Whatever fails, from the doctor's first check on."""
    uri = f"mongodb://tailer:QXZ{signs}JJ7@{HOST}:{free_port()}/?serverSelectionTimeoutMS=50"
    verdict = Network(uri).reachable()
    with client(uri) as one, pytest.raises(TailerError) as caught, mongodb_errors():
        one.admin.command("ping")
    shown = f"{verdict.found} {verdict.remedy} {''.join(traceback.format_exception(caught.value))} {one!r}"
    assert HOST in shown
    assert "QXZ" not in shown
    assert "JJ7" not in shown


def test_client_does_not_show_its_password() -> None:
    with client(f"mongodb://{HERE}", username="tailer", password="QXZ@/:7 +") as one:
        assert "QXZ" not in repr(one)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("shop-123456789012.eu-west-1.docdb-elastic.amazonaws.com:27017", True),
        ("shop-123456789012.cn-north-1.DOCDB-ELASTIC.amazonaws.com.cn", True),
        ("shop.cluster-cabc.eu-west-1.docdb.amazonaws.com", False),
        ("docdb-elastic.amazonaws.com.example.org", False),
    ],
)
def test_elastic_cluster_is_recognised_by_its_host(host: str, expected: bool) -> None:
    """Also in China."""
    assert elastic(f"mongodb://user:secret@{host}/?tls=true") is expected


@pytest.mark.parametrize(
    ("setting", "words"),
    [("TAILER_MONGODB_URI", "which has no change streams"), ("TAILER_CHECKPOINTS", "which cannot keep checkpoints")],
)
def test_elastic_cluster_is_refused_by_every_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, words: str
) -> None:
    """With exit code 2, before anything connects."""
    monkeypatch.chdir(tmp_path)
    for name, value in {**TASK, setting: "mongodb://shop.eu-west-1.docdb-elastic.amazonaws.com:27017/"}.items():
        monkeypatch.setenv(name, value)
    for command in ("run", "doctor", "status"):
        told = refusal_of(command)
        assert setting in told
        assert f"an elastic cluster of Amazon DocumentDB, {words}" in told


def refusal_of(command: str) -> str:
    """Return the output of a command that refuses its settings."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        assert command_line([command], threading.Event()) == 2
    return out.getvalue()
