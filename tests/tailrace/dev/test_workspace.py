"""No process or file is left, however the starter ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from tailrace.dev.loopback import free_port, get, wait_until
from tailrace.dev.tailer import TailerProcess
from tailrace.dev.workspace import StartFailed, Workspace
from tests.eventually import eventually

# A leader with a child, like the emulator's function workers.
FAMILY = ["sh", "-c", "sleep 60 & echo $!; wait"]


def test_process_group_and_folder_end_with_the_workspace() -> None:
    with Workspace() as workspace:
        leader = workspace.spawn("family", FAMILY, {})
        wait_until(lambda: leader.log_tail() != "", leader, 5)
        grandchild = int(leader.log_tail())
        assert lives(leader.pid)
        assert lives(grandchild)
    assert not lives(leader.pid)
    assert vanishes(grandchild)
    assert not workspace.folder.exists()


def test_nothing_is_left_after_a_sigkill_of_the_starter() -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True)
    assert starter.stdout
    with starter.stdout:
        leader, folder = starter.stdout.readline().split()
    assert lives(int(leader))
    starter.kill()
    starter.wait()
    assert vanishes(int(leader))
    assert eventually(lambda: not Path(folder).exists())


def test_process_gets_only_its_given_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's profile, endpoint or proxy has no effect on the stack."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_SQS", "HTTP_PROXY", "TAILER_STREAM"):
        monkeypatch.setenv(name, "the developer's")
    with Workspace() as workspace:
        child = workspace.spawn("env", ["sh", "-c", "env; echo printed; sleep 60"], {"GIVEN": "1"})
        wait_until(lambda: "printed" in child.log_tail(), child, 5)
        printed = child.log_tail(100)
    assert "GIVEN=1" in printed
    assert "the developer's" not in printed


def test_stop_sends_sigterm_then_kills() -> None:
    """A process that ignores SIGTERM is killed after its grace period."""
    with Workspace() as workspace:
        polite = workspace.spawn("polite", ["sh", "-c", "trap 'exit 7' TERM; echo up; while :; do sleep 0.05; done"], {})
        deaf = workspace.spawn("deaf", ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"], {})
        wait_until(lambda: "up" in polite.log_tail() and "up" in deaf.log_tail(), deaf, 5)
        assert polite.stop(grace=5) == 7
        assert deaf.stop(grace=0.2) == -9


def test_process_that_dies_before_it_is_ready_is_reported_with_its_log() -> None:
    with Workspace() as workspace:
        child = workspace.spawn("broken", ["sh", "-c", "echo the disk is full; exit 3"], {})
        with pytest.raises(StartFailed, match=r"broken ended before it was ready[^$]*the disk is full"):
            wait_until(lambda: False, child, 10)


def test_process_that_is_never_ready_times_out() -> None:
    with Workspace() as workspace:
        child = workspace.spawn("slow", ["sleep", "60"], {})
        with pytest.raises(StartFailed, match=r"slow was not ready within 0\.1 s"):
            wait_until(lambda: False, child, 0.1)


def test_misconfigured_tailer_is_reported_with_its_log() -> None:
    with Workspace() as workspace:
        tailer = TailerProcess(workspace, {})
        with pytest.raises(StartFailed, match="tailer ended before it was ready"):
            tailer.wait_ready()
        assert not tailer.running


def test_free_port_has_no_listener() -> None:
    assert get(free_port(), "/readyz") == (0, "")


STARTER = """
import time
from tailrace.dev.workspace import Workspace
workspace = Workspace()
child = workspace.spawn("sleeper", ["sleep", "60"], {})
print(child.pid, workspace.folder, flush=True)
time.sleep(60)
"""


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()[:1] not in {"", "Z"}


def vanishes(pid: int) -> bool:
    return eventually(lambda: not lives(pid))
