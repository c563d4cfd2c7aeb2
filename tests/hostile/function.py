"""
A Lambda function of the product as Lambda runs it: a process with limits of memory and time, for one event after another.
``python -P -m tests.hostile.function HANDLER`` is that process. A line of JSON on its standard input is an event, and a line on
its standard output is the response. The function's own output goes to standard error.
"""

import json
import os
import pkgutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hostile.memory_group import resident_peak

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 30.0  # the default of a deployment


@dataclass(frozen=True, kw_only=True)
class Response:
    """The result or the error; ``killed`` if it exceeded its memory or time. ``peak`` is its maximum memory in bytes."""

    result: dict[str, Any] | None = None
    error: str = ""
    killed: bool = False
    peak: int = 0


class Function:
    """
    A function that can be invoked many times: the next invocation replaces a killed process. ``within`` puts its command into a
    cgroup.
    """

    def __init__(
        self, handler: str, environment: Mapping[str, str], log: Path, within: Callable[[list[str]], list[str]] = list
    ) -> None:
        own = {"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]}
        self._command = within([sys.executable, "-P", "-m", "tests.hostile.function", handler])
        self._environment = {**environment, **own}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def invoke(self, event: Mapping[str, Any]) -> Response:
        process = self._running()
        end = threading.Timer(SECONDS, process.kill)
        end.start()
        try:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps(event).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        finally:
            end.cancel()
        if not line:
            self.stop()
            return Response(killed=True)
        return Response(**json.loads(line))

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
                )
        return self._process


class _Context:
    """The part of Lambda's context that the product uses."""

    def __init__(self) -> None:
        self._end = time.monotonic() + SECONDS

    def get_remaining_time_in_millis(self) -> int:
        return round((self._end - time.monotonic()) * 1000)


def main(handler: str) -> None:
    responses = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, _, name = handler.rpartition(".")
    function = pkgutil.resolve_name(f"{module}:{name}")
    for line in sys.stdin:
        responses.write(f"{json.dumps(_response(function, json.loads(line)))}\n")
        responses.flush()


def _response(function: Callable[..., dict[str, Any]], event: Any) -> dict[str, Any]:
    Path("/proc/self/clear_refs").write_text("5")  # This resets the peak.
    try:
        response: dict[str, Any] = {"result": function(event, _Context())}
    except Exception as error:  # Any exception, as in Lambda.
        response = {"error": f"{type(error).__name__}: {error}"}
    return response | {"peak": resident_peak(os.getpid())}


if __name__ == "__main__":
    main(sys.argv[1])
