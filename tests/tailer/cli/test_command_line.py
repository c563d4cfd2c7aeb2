"""The tailer as a process: what it says and how it ends when something is wrong, before it touches anything."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack import DevStack
from devstack.installed import mongod_binary
from devstack.loopback import HOST, free_port, wait_until
from devstack.tailer import TailerProcess
from devstack.workspace import Workspace
from tests.queue import received

Lines = list[dict[str, Any]]


HEARS_SIGINT = """import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # where a shell started all of this in the background, it is ignored
from tailer.__main__ import main
sys.exit(main())"""


@pytest.fixture
def settings() -> dict[str, str]:
    """An environment that can be read, and leads nowhere."""
    return {
        "TAILER_MONGODB_URI": f"mongodb://{HOST}:1/",
        "TAILER_QUEUE_URL": f"http://{HOST}:1/000000000000/changes.fifo",
        "TAILER_CHECKPOINTS": "dynamodb://nowhere",
        "TAILER_STREAM": "payments",
        "TAILER_DATABASE": "payments",
        "AWS_REGION": "eu-west-1",
    }


def started(stack: DevStack, **settings: object) -> TailerProcess:
    return stack.start_tailer(**settings)


def ended(stack: DevStack, **settings: object) -> tuple[int, dict[str, Any]]:
    """Exit code and last log line of a tailer that cannot start."""
    tailer = started(stack, **settings)
    code = tailer.process._process.wait(60)
    return code, json.loads(tailer.process.log_tail(1))


def test_without_settings_it_says_which_and_how(tmp_path: Path) -> None:
    """All of them at once, by name, in one line of the log like any other, for who filters it; exit 2."""
    done = subprocess.run(
        [sys.executable, "-m", "tailer", "run"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    told = json.loads(line)
    assert (told["level"], told["action"], told["reason"]) == ("CRITICAL", "stopped", "Misconfigured")
    assert told["message"].startswith("5 settings need attention (environment or .env):")
    for name in ("MONGODB_URI", "QUEUE_URL", "CHECKPOINTS", "STREAM", "DATABASE"):
        assert f"TAILER_{name}" in told["message"]


def test_in_a_terminal_it_says_so_in_lines(tmp_path: Path) -> None:
    """For the person at the keyboard."""
    keyboard, screen = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "tailer", "run"], cwd=tmp_path, env={"PYTHONPATH": str(Path.cwd())}, stderr=screen, check=False
    )
    os.close(screen)
    with os.fdopen(keyboard, "rb") as shown:
        first, *others = shown.read1().decode().splitlines()
    assert done.returncode == 2
    assert first == "tailer: 5 settings need attention (environment or .env):"
    assert len(others) == 5


@pytest.mark.parametrize("command", ["doctor", "--help", "run --help"])
def test_a_reader_that_has_read_enough_ends_it_quietly(tmp_path: Path, command: str) -> None:
    """As `tailer doctor | head` does: no traceback, and the code that a shell gives for it."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "tailer", *command.split()],
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path.cwd())},
            stdout=nobody,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_who_has_waited_enough_ends_it_with_a_sentence(settings: dict[str, str], tmp_path: Path, command: str) -> None:
    """Ctrl-C, while a neighbour does not answer: no traceback, and the code that a shell gives for it."""
    with socket.create_server((HOST, 0)) as silent:
        settings["TAILER_CHECKPOINTS"] = settings["TAILER_MONGODB_URI"] = f"mongodb://{HOST}:{silent.getsockname()[1]}/"
        waiting = subprocess.Popen(
            [sys.executable, "-c", HEARS_SIGINT, command],
            cwd=tmp_path,
            env={**settings, "PYTHONPATH": str(Path.cwd())},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        connection, _ = silent.accept()
        with connection:
            waiting.send_signal(signal.SIGINT)
            said = b"tailer: interrupted: nothing was changed\n"
            assert (waiting.communicate(timeout=60)[1], waiting.returncode) == (said, 130)


@pytest.fixture(scope="module")
def standalone(services: None) -> Iterator[str]:
    """A mongod that is not a replica set."""
    with Workspace() as workspace:
        port = free_port()
        data = workspace.folder / "data"
        data.mkdir()
        child = workspace.spawn("mongod", [mongod_binary(), "--dbpath", str(data), "--port", str(port), "--bind_ip", HOST], {})
        wait_until(lambda: "Waiting for connections" in child.log_tail(500), child, 30)
        yield f"mongodb://{HOST}:{port}/"


def test_a_standalone_server_is_told_apart(stack: DevStack, standalone: str) -> None:
    """The remedy is named."""
    code, last = ended(stack, mongodb_uri=standalone)
    assert (code, last["action"], last["reason"]) == (2, "stopped", "Misconfigured")
    assert "TAILER_MONGODB_URI is a standalone server" in last["message"]
    assert "rs.initiate()" in last["message"]


def test_a_queue_that_does_not_exist_is_named(stack: DevStack) -> None:
    """Before the stream is opened."""
    url = stack.resources.queue_url.replace("tailrace-changes", "nowhere")
    code, last = ended(stack, queue_url=url)
    assert code == 2
    assert "nowhere.fifo does not exist" in last["message"]


def test_a_queue_that_is_not_fifo_is_refused(stack: DevStack) -> None:
    """By its name already."""
    tailer = started(stack, queue_url=stack.resources.consumer_queue_url)
    assert tailer.process._process.wait(60) == 2
    assert "TAILER_QUEUE_URL" in tailer.process.log_tail(1)
    assert "ends in .fifo" in tailer.process.log_tail(1)


def test_a_table_that_does_not_exist_is_named(stack: DevStack) -> None:
    """The setting and the table."""
    code, last = ended(stack, checkpoints="dynamodb://nowhere")
    assert code == 2
    assert "TAILER_CHECKPOINTS: nowhere does not exist" in last["message"]


def test_a_wrong_password_is_told_without_showing_it(stack: DevStack, fresh: str) -> None:
    """The setting is named; what was tried is not repeated."""
    stack.mongo.admin.command("createUser", fresh, pwd="secret", roles=[])
    uri = stack.mongodb_uri.replace("mongodb://", f"mongodb://{fresh}:secret@") + "&authSource=admin&authMechanism=SCRAM-SHA-1"
    code, last = ended(stack, mongodb_uri=uri.replace(":secret@", ":wrong@"), stream=fresh)
    assert code == 2
    assert "wrong user name or password in TAILER_MONGODB_URI" in last["message"]
    assert "wrong@" not in last["message"]


def test_a_server_that_does_not_response_is_waited_for(stack: DevStack, fresh: str) -> None:
    """An outage is not a wrong setting: it says what it waits for, is not ready, and stops when asked."""
    tailer = started(
        stack, mongodb_uri=f"mongodb://{HOST}:{free_port()}/?serverSelectionTimeoutMS=100&replicaSet=rs0", stream=fresh
    )
    wait_until(lambda: "tries again" in tailer.process.log_tail(), tailer.process, 20)
    assert not tailer.ready()
    assert tailer.stop() == 0


def test_sigterm_delivers_saves_and_releases(stack: DevStack, queue_url: str, fresh: str) -> None:
    """Exit 0, and the next tailer starts at once with nothing to repeat."""
    settings = {"queue_url": queue_url, "stream": fresh, "database": fresh, "collections": "", "lease_seconds": 60}
    first = started(stack, **settings)
    first.wait_ready()
    stack.mongo[fresh].payments.insert_many([{"_id": number} for number in range(50)])
    wait_until(lambda: 'tailrace_changes_sent_total{stream="' + fresh + '"} 50.0' in first.metrics(), first.process, 20)
    assert first.stop() == 0
    stack.mongo[fresh].payments.insert_one({"_id": 50})
    second = started(stack, **settings)
    second.wait_ready()
    wait_until(lambda: "_sent_total" in second.metrics() and "} 1.0" in second.metrics(), second.process, 20)
    assert second.stop() == 0
    assert [change.sequence for change in sorted(received(stack, queue_url), key=lambda c: c.sequence)] == list(range(1, 52))


@pytest.mark.parametrize("seconds", [0.4, 0.8, 1.2])
def test_sigterm_is_heard_from_the_very_start(stack: DevStack, queue_url: str, fresh: str, seconds: float) -> None:
    """A deployment that is taken back at once does not wait for the kill."""
    tailer = started(stack, queue_url=queue_url, stream=fresh, database=fresh, collections="")
    time.sleep(seconds)
    assert tailer.stop() == 0


def test_a_collection_that_does_not_exist_yet_is_waited_for(stack: DevStack, queue_url: str, fresh: str) -> None:
    """Neither an error nor a busy loop: its first document arrives."""
    tailer = started(stack, queue_url=queue_url, stream=fresh, database=f"{fresh}-new", collections="later")
    tailer.wait_ready()
    stack.mongo[f"{fresh}-new"].later.insert_one({"_id": 1})
    wait_until(lambda: "} 1.0" in tailer.metrics(), tailer.process, 20)
    assert tailer.stop() == 0


def test_no_secret_reaches_the_log(stack: DevStack, queue_url: str, fresh: str) -> None:
    """Neither the password of the URI nor a document."""
    tailer = started(stack, queue_url=queue_url, stream=fresh, database=fresh, collections="", log_level="DEBUG")
    tailer.wait_ready()
    stack.mongo[fresh].payments.insert_one({"_id": 1, "accountNumber": "12345678"})
    wait_until(lambda: "changes_sent_total" in tailer.metrics(), tailer.process, 20)
    assert tailer.stop() == 0
    text = tailer.log.read_text()
    assert "12345678" not in text
    assert all(json.loads(line)["action"] for line in text.splitlines())
