"""
``python -m tailer`` and its like, as tests start them, are forked from a process that has imported their libraries already.

A start of its own takes 0.7 s of a processor, nearly all for imports, and there are hundreds of starts in a run. The forked
process has the command line, environment, folder, files, session and exit status that it would have had. Started as usual are
all others: other Python programs, other interpreters and options, a program within another (a memory group, say), and with
``TAILRACE_TESTS_FORK=0`` every one.
"""

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fork_server import LENGTH, NUMBER

ROOT = Path(__file__).parents[1]
LIBRARIES = ("boto3", "click", "tailer.app", "tailer.cli.command_line")
MODULES = ("tailer", "tailrace.cli", "lambda_forwarder", "tests.tailer")
SAME = {"PYTHONPATH": str(ROOT)}
OBEYED = {"PYTHONSAFEPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
"""Of Python's own variables, those with which a process can be forked."""
OPTIONS = {"bufsize", "cwd", "encoding", "env", "errors", "start_new_session", "stderr", "stdin", "stdout", "text"}
"""Of Popen's options, those with which a process can be forked."""


def request(command: object, options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the server needs to start this command. None: the command is started as usual."""
    match [str(one) for one in command] if isinstance(command, list) else []:
        case [sys.executable, "-P", "-m", module, *arguments]:
            safe_path = True
        case [sys.executable, "-m", module, *arguments]:
            safe_path = False
        case _:
            return None
    given = options.get("env")
    environment = dict(os.environ if given is None else given)
    python = {name: value for name, value in environment.items() if name.startswith("PYTHON") and name not in OBEYED}
    ours = any(module == one or module.startswith(f"{one}.") for one in MODULES)
    if not ours or options.keys() - OPTIONS or not python.items() <= SAME.items():
        return None
    return {
        "module": module,
        "arguments": arguments,
        "safe_path": safe_path or "PYTHONSAFEPATH" in environment,
        "cwd": str(Path(options.get("cwd") or "").absolute()),
        "environment": environment,
        "new_session": options.get("start_new_session", False),
    }


class Server:
    """The process that forks. It starts with the first request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def fork(self, request: Mapping[str, Any], files: Sequence[int]) -> tuple[int, socket.socket]:
        """Return the number of the new process, and the socket that receives its wait status."""
        status, remote = socket.socketpair()
        text = json.dumps(request).encode()
        with remote, self._lock:
            requests = self._requests or self._start()
            socket.send_fds(requests, [len(text).to_bytes(LENGTH)], [*files, remote.fileno()])
            requests.sendall(text)
        number = status.recv(NUMBER)
        if not number:
            status.close()
            raise RuntimeError("the process that forks for the tests has ended; TAILRACE_TESTS_FORK=0 does without it")
        return int.from_bytes(number), status

    def _start(self) -> socket.socket:
        self._requests, remote = socket.socketpair()
        with remote:
            script = str(Path(__file__).with_name("fork_server.py"))
            self._process = subprocess.Popen(
                [sys.executable, "-P", script, str(remote.fileno()), *LIBRARIES],
                cwd=ROOT,
                env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[remote.fileno()],
            )
        return self._requests

    def close(self) -> None:
        if self._requests and self._process:
            self._requests.close()
            self._process.wait()


_SERVER = Server()


class ForkedPopen(subprocess.Popen[Any]):
    """``Popen``, for which the server starts what it can."""

    _server = Server()
    _status: socket.socket | None = None

    def __init__(self, args: Any, *given: Any, **options: Any) -> None:
        self._request = None if given else request(args, options)
        super().__init__(args, *given, **options)

    def _execute_child(self, *given: Any) -> None:
        if self._request is None:
            super()._execute_child(*given)  # type: ignore[misc]
            return
        pipes = given[10:16]
        files = [file if file >= 0 else number for number, file in enumerate((pipes[0], pipes[3], pipes[5]))]
        try:
            self.pid, self._status = self._server.fork(self._request, files)
        finally:
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]
        self._child_created = True

    def _internal_poll(self, *given: Any, **named: Any) -> int | None:
        if self._status is None:
            polled: int | None = super()._internal_poll(*given, **named)  # type: ignore[misc]
            return polled
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            try:
                if self.returncode is None and (status := self._try_wait(os.WNOHANG))[0]:
                    self._handle_exitstatus(status[1])  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._status is None:
            waited: tuple[int, int] = super()._try_wait(wait_flags)  # type: ignore[misc]
            return waited
        if wait_flags & os.WNOHANG and not select.select([self._status], [], [], 0)[0]:
            return 0, 0
        status = self._status.recv(NUMBER)
        self._status.close()
        return self.pid, int.from_bytes(status)


def pytest_configure(config: pytest.Config) -> None:
    if sys.platform == "linux" and not config.getoption("--fast") and os.environ.get("TAILRACE_TESTS_FORK") != "0":
        patch = pytest.MonkeyPatch()
        patch.setattr(subprocess, "Popen", ForkedPopen)
        config.add_cleanup(patch.undo)
        config.add_cleanup(ForkedPopen._server.close)
