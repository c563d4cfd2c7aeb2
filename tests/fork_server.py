"""
``python -P fork_server.py SOCKET LIBRARY …``: imports the libraries once, then forks for each request on the socket.

``tests.forked`` starts this script and sends the requests. A request is a length of eight bytes and a JSON object, with four
files: standard input, output and error, and a socket for the new process's number and, later, its wait status.
"""

import gc
import io
import json
import os
import runpy
import signal
import socket
import sys
from importlib import import_module
from typing import Any

LENGTH = 8  # bytes
FILES = 4
NUMBER = 4  # bytes of a process's number, and of its status


def main() -> None:
    requests = socket.socket(fileno=int(sys.argv[1]))
    for library in sys.argv[2:]:
        import_module(library)
    gc.collect()
    gc.freeze()  # so that a child's collection touches, and copies, no page of these modules
    request = _request_of_a_child(requests)
    if request:
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


def _request_of_a_child(requests: socket.socket) -> Any:
    """Return in each new process, with its request. Return None in this one when the tests have ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no supervisor is waited for
    while True:
        start, files, _, _ = socket.recv_fds(requests, LENGTH, FILES)
        if not start:
            return None
        request = json.loads(_read(requests, int.from_bytes(start)))
        if os.fork() == 0:
            requests.close()
            _supervise(files)
            _become(request, files)
            return request
        for file in files:
            os.close(file)


def _read(requests: socket.socket, length: int) -> bytes:
    text = b""
    while len(text) < length:
        text += requests.recv(length - len(text))
    return text


def _supervise(files: list[int]) -> None:
    """Fork. The parent, whom the tests' signals do not reach, sends the child's wait status. Only the child returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if child := os.fork():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for file in files[:3]:
            os.close(file)
        for number in range(3):
            os.close(number)
        _, status = os.waitpid(child, 0)
        os.write(files[3], status.to_bytes(NUMBER))
        os._exit(0)


def _become(request: Any, files: list[int]) -> None:
    """Have what a new Python process would have: its group, folder, environment, arguments and standard files."""
    if request["new_session"]:
        os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = [request["module"], *request["arguments"]]
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    if not request["safe_path"]:
        sys.path.insert(0, request["cwd"])
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
        os.close(file)
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        binary = open(number, f"{mode}b", buffering=0 if unbuffered and number else -1, closefd=False)  # noqa: SIM115
        lines = number == 2 or os.isatty(number)
        errors = "backslashreplace" if number == 2 else "strict"
        text = io.TextIOWrapper(binary, "utf-8", errors, line_buffering=lines, write_through=unbuffered)
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)
    os.write(files[3], os.getpid().to_bytes(NUMBER))
    os.close(files[3])


if __name__ == "__main__":
    main()
