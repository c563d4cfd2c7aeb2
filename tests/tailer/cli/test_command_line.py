"""The tailer as a process: its messages and exit codes when something is wrong."""

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
from tailrace.dev.installed import mongod_binary
from tailrace.dev.loopback import HOST, free_port, wait_until
from tailrace.dev.tailer import TailerProcess
from tailrace.dev.workspace import Workspace
from tests.queue import received

Lines = list[dict[str, Any]]


@pytest.fixture
def settings() -> dict[str, str]:
    """Settings that are valid but lead nowhere."""
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
    """Return exit code and last log line of a tailer that cannot start."""
    tailer = started(stack, **settings)
    code = tailer.process._process.wait(60)
    return code, json.loads(tailer.process.log_tail(1))


def test_missing_settings_are_one_json_log_line(tmp_path: Path) -> None:
    """With every name, and exit code 2."""
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


def test_missing_settings_are_listed_at_a_terminal(tmp_path: Path) -> None:
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
def test_closed_pipe_ends_a_command_silently(tmp_path: Path, command: str) -> None:
    """As with `tailer doctor | head`, with the exit code of a shell."""
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
def test_ctrl_c_ends_a_waiting_command_with_a_sentence(settings: dict[str, str], tmp_path: Path, command: str) -> None:
    """Without a traceback, with the exit code of a shell."""
    with socket.create_server((HOST, 0)) as silent:
        settings["TAILER_CHECKPOINTS"] = settings["TAILER_MONGODB_URI"] = f"mongodb://{HOST}:{silent.getsockname()[1]}/"
        waiting = subprocess.Popen(
            [sys.executable, "-m", "tailer", command],
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


def test_standalone_server_is_named_with_the_remedy(stack: DevStack, standalone: str) -> None:
    code, last = ended(stack, mongodb_uri=standalone)
    assert (code, last["action"], last["reason"]) == (2, "stopped", "Misconfigured")
    assert "TAILER_MONGODB_URI is a standalone server" in last["message"]
    assert "rs.initiate()" in last["message"]


def test_missing_queue_is_named_before_the_stream_opens(stack: DevStack) -> None:
    url = stack.resources.queue_url.replace("tailrace-changes", "nowhere")
    code, last = ended(stack, queue_url=url)
    assert code == 2
    assert "nowhere.fifo does not exist" in last["message"]


def test_standard_queue_is_refused_by_its_name(stack: DevStack) -> None:
    tailer = started(stack, queue_url=stack.resources.consumer_queue_url)
    assert tailer.process._process.wait(60) == 2
    assert "TAILER_QUEUE_URL" in tailer.process.log_tail(1)
    assert "ends in .fifo" in tailer.process.log_tail(1)


def test_missing_table_is_named_with_its_setting(stack: DevStack) -> None:
    code, last = ended(stack, checkpoints="dynamodb://nowhere")
    assert code == 2
    assert "TAILER_CHECKPOINTS: nowhere does not exist" in last["message"]


def test_wrong_password_names_the_setting_and_not_the_password(stack: DevStack, fresh: str) -> None:
    stack.mongo.admin.command("createUser", fresh, pwd="secret", roles=[])
    uri = stack.mongodb_uri.replace("mongodb://", f"mongodb://{fresh}:secret@") + "&authSource=admin&authMechanism=SCRAM-SHA-1"
    code, last = ended(stack, mongodb_uri=uri.replace(":secret@", ":wrong@"), stream=fresh)
    assert code == 2
    assert "wrong user name or password in TAILER_MONGODB_URI" in last["message"]
    assert "wrong@" not in last["message"]


def test_tailer_waits_for_an_unavailable_server(stack: DevStack, fresh: str) -> None:
    """It says so, is not ready, and stops on request."""
    tailer = started(
        stack, mongodb_uri=f"mongodb://{HOST}:{free_port()}/?serverSelectionTimeoutMS=100&replicaSet=rs0", stream=fresh
    )
    wait_until(lambda: "tries again" in tailer.process.log_tail(), tailer.process, 20)
    assert not tailer.ready()
    assert tailer.stop() == 0


def test_sigterm_delivers_saves_and_releases(stack: DevStack, queue_url: str, fresh: str) -> None:
    """The next tailer starts at once, without a repeat."""
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
def test_sigterm_is_handled_from_the_start(stack: DevStack, queue_url: str, fresh: str, seconds: float) -> None:
    """A deployment that is rolled back does not wait for the kill."""
    tailer = started(stack, queue_url=queue_url, stream=fresh, database=fresh, collections="")
    time.sleep(seconds)
    assert tailer.stop() == 0


def test_tailer_waits_for_a_missing_collection(stack: DevStack, queue_url: str, fresh: str) -> None:
    """Its first document arrives."""
    tailer = started(stack, queue_url=queue_url, stream=fresh, database=f"{fresh}-new", collections="later")
    tailer.wait_ready()
    stack.mongo[f"{fresh}-new"].later.insert_one({"_id": 1})
    wait_until(lambda: "} 1.0" in tailer.metrics(), tailer.process, 20)
    assert tailer.stop() == 0


def test_no_secret_is_logged(stack: DevStack, queue_url: str, fresh: str) -> None:
    """Neither a password nor a document."""
    tailer = started(stack, queue_url=queue_url, stream=fresh, database=fresh, collections="", log_level="DEBUG")
    tailer.wait_ready()
    stack.mongo[fresh].payments.insert_one({"_id": 1, "accountNumber": "12345678"})
    wait_until(lambda: "changes_sent_total" in tailer.metrics(), tailer.process, 20)
    assert tailer.stop() == 0
    text = tailer.log.read_text()
    assert "12345678" not in text
    assert all(json.loads(line)["action"] for line in text.splitlines())
