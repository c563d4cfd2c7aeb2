"""A proxy for the AWS emulator that understands calls: faults are armed by name and hit the next call of their operation."""

import http.client
import json
import random
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tailer.stored_form import record_from
from tailrace.dev.loopback import HOST, free_port
from tests.faults.call_faults import CALL_FAULTS, SEND, STORE, Forward, Response
from tests.faults.witness import Witness

_UPSTREAM_SECONDS = 20.0
_OWN = ("host", "connection", "content-length", "transfer-encoding")


class AwsProxy(ThreadingHTTPServer):
    """``with AwsProxy(...) as proxy:`` listens on ``proxy.port``. ``witness`` is given every record that the store accepted."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target: int, chance: random.Random) -> None:
        self.port = free_port()
        super().__init__((HOST, self.port), _Connection)
        self.target = target
        self.witness = Witness()
        self.done: Counter[str] = Counter()  # faults that hit a call
        self.sends: deque[tuple[float, float]] = deque(maxlen=100_000)  # when an accepted call was received and responded to
        self._chance = chance
        self._hit = 0.0  # when a fault was over, monotonic
        self._armed: dict[str, deque[str]] = {SEND: deque(), STORE: deque()}
        self._storing = threading.Lock()  # The witness is given writes in the order in which the store accepted them.
        self._open = threading.Event()
        self._open.set()
        self._passing = threading.Semaphore(_AT_ONCE)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.1,), name="aws proxy", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of clients that are disconnected or killed; anything else is a fault of the proxy."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def arm(self, name: str, calls: int) -> None:
        """Let this fault hit the next calls of its operation."""
        self._armed[CALL_FAULTS[name][0]].extend([name] * calls)

    @property
    def armed(self) -> int:
        """How many faults have not hit a call yet."""
        return sum(map(len, self._armed.values()))

    @property
    def recovered(self) -> bool:
        """Whether a call was accepted since the last fault hit one."""
        return not self.armed and (not self._hit or bool(self.sends and self.sends[-1][0] > self._hit))

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Finish the calls in progress and respond to every other call with 503 while the block runs."""
        self._open.clear()
        for _ in range(_AT_ONCE):
            self._passing.acquire()
        try:
            yield
        finally:
            for _ in range(_AT_ONCE):
                self._passing.release()
            self._open.set()

    def response(self, operation: str, body: bytes, forward: Forward) -> Response | None:
        """Return the response to one call, which a fault may have changed."""
        armed = self._armed.get(operation)
        try:
            name = armed.popleft() if armed else ""
        except IndexError:
            name = ""

        def passed(request: bytes) -> Response:
            return self._pass(operation, request, forward)

        if not name:
            return passed(body)
        self.done[name] += 1
        try:
            return CALL_FAULTS[name][1](body, passed, self._chance)
        finally:
            self._hit = time.monotonic()

    def _pass(self, operation: str, body: bytes, forward: Forward) -> Response:
        came = time.monotonic()
        if not self._open.is_set():
            return Response(status=503, body=b'{"__type": "ServiceUnavailable"}')
        with self._passing:
            if operation == STORE:
                return self._store(body, forward)
            response = forward(body)
        if operation == SEND and response.status == 200:
            self.sends.append((came, time.monotonic()))
        return response

    def _store(self, body: bytes, forward: Forward) -> Response:
        with self._storing:
            response = forward(body)
            item = json.loads(body).get("Item", {})
            if response.status == 200 and "record" in item:
                self.witness.accepted(record_from(json.loads(item["record"]["S"])))
            return response


_AT_ONCE = 64  # calls


class _Connection(BaseHTTPRequestHandler):
    """One kept-alive connection of a client, and one of its own to the emulator."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # A response is one write.
    server: AwsProxy
    _upstream: http.client.HTTPConnection | None = None

    def do_POST(self) -> None:
        """Handle one call."""
        self.close_connection = True
        size = int(self.headers.get("Content-Length", 0))
        try:
            body = self.rfile.read(size)
            if len(body) < size:
                return  # The client disconnected during the call.
            response = self.server.response(self.headers.get("X-Amz-Target", ""), body, self._forward)
            if response is not None:
                self._send(response)
                self.close_connection = False
        except (OSError, http.client.HTTPException):
            self.finish_upstream()  # The emulator or the client is gone: the call ends without a response.

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)
        self.wfile.flush()

    def _forward(self, body: bytes) -> Response:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
        if self._upstream is None:
            self._upstream = http.client.HTTPConnection(HOST, self.server.target, timeout=_UPSTREAM_SECONDS)
        self._upstream.request("POST", self.path, body, headers)
        response = self._upstream.getresponse()
        return Response(status=response.status, body=response.read())

    def finish_upstream(self) -> None:
        if self._upstream:
            self._upstream.close()
            self._upstream = None

    def finish(self) -> None:
        self.finish_upstream()
        try:
            super().finish()
        except OSError:
            return  # The client disconnected first.

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
