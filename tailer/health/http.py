"""``/healthz``, ``/readyz`` and ``/metrics``, whoever else connects: connections, their time and their bytes are bounded."""

import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase, BytesIO
from math import isnan
from socketserver import TCPServer
from typing import Any

import msgspec

from tailer.background import background
from tailer.errors import Misconfigured
from tailer.health.health import CONDITION, Health
from tailer.metrics.prometheus import Families

log = logging.getLogger(__name__)

CONNECTIONS = 32  # open at a time, each with a thread; the oldest makes way for one more
SECONDS = 5.0  # that a connection may last
HEAD_LIMIT = 8_192  # bytes of a request
_POLL = 0.1  # seconds between two looks for a stop, and for connections that last too long
_PAGES = "there are /healthz, /readyz and /metrics"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus' own


@contextmanager
def endpoints(host: str, port: int, health: Health, metrics: Families) -> Iterator[None]:
    """
    Answer on ``host:port`` while the block runs; port 0 answers nowhere.

    Raises:
        Misconfigured: the address cannot be used.
    """
    if port == 0:
        yield
        return
    try:
        server = _Server(host, port, _handler(health, metrics))
    except OSError as error:
        raise Misconfigured(f"TAILER_HTTP_PORT: cannot listen on {host}:{port}: {error.strerror}") from error
    over = threading.Event()
    background("http", lambda: server.serve_forever(_POLL), over)
    try:
        yield
    finally:
        over.set()
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Of either kind of address; ``::`` is every one of both kinds, as the probe and the doctor take it."""

    request_queue_size = 128  # connections that the system keeps until they are accepted

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._open: dict[socket.socket, float] = {}  # since when; the oldest first
        self._changing = threading.Lock()
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Listen; a system may keep the two kinds apart unless it is told not to. The host's name is asked of nobody."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread; whoever connected first and is still there makes way."""
        with self._changing:
            if len(self._open) >= CONNECTIONS:
                self._end(next(iter(self._open)))
            self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Between two connections: end those that last too long, silent or slow."""
        with self._changing:
            for connection, since in list(self._open.items()):
                if time.monotonic() - since > SECONDS:
                    self._end(connection)

    def shutdown_request(self, request: Any) -> None:
        """A connection's own thread is done with it."""
        with self._changing:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - of the base class
        """A client that went away, or that we ended, is no error."""
        if not isinstance(sys.exception(), OSError):
            log.exception("an HTTP request failed", extra={"action": "request_failed"})

    def _end(self, connection: socket.socket) -> None:
        """Its thread wakes up, and finds it closed."""
        del self._open[connection]
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _handler(health: Health, metrics: Families) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "Tailrace", ""
        default_request_version = "HTTP/1.0"  # of a request that cannot be read: its answer has a head, too

        def setup(self) -> None:
            """Read the request before anything is made of it, and no more of it than there may be."""
            super().setup()
            with self.rfile as stream:
                self.rfile = BytesIO(_head(stream))

        def do_GET(self) -> None:
            """A page by its path."""
            try:
                page = self._page(self.path.partition("?")[0])
            except Exception:
                log.exception("the HTTP request for %s failed", self.path, extra={"action": "request_failed"})
                self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, "see the log")
                return
            if page is None:
                self.send_error(HTTPStatus.NOT_FOUND, _PAGES)
            else:
                self._response(*page, _TEXT)

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
            """An error as JSON that repeats nothing of the request, also of one that the base class cannot read."""
            status = HTTPStatus(code)
            if status == HTTPStatus.NOT_IMPLEMENTED:  # so the base class calls a method that there is no function for
                status = HTTPStatus.METHOD_NOT_ALLOWED
            said = message if message and status in (HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR) else status.phrase
            self.close_connection = True
            body = msgspec.json.encode({"status": status, "error": said}) + b"\n"
            self._response(status, body, "application/json")

        def _response(self, status: HTTPStatus, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header(CONDITION, health.condition)
            if status == HTTPStatus.METHOD_NOT_ALLOWED:
                self.send_header("Allow", "GET, HEAD")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            """The same without its body."""
            self.do_GET()

        def _page(self, path: str) -> tuple[HTTPStatus, bytes] | None:
            match path:
                case "/healthz":
                    return _state(health, good=health.healthy)
                case "/readyz":
                    return _state(health, good=health.ready)
                case "/metrics":
                    return HTTPStatus.OK, metrics.text()
                case _:
                    return None

        def log_message(self, *_: object) -> None:
            """Probes come every few seconds and are not news."""

    return Handler


def _state(health: Health, *, good: bool) -> tuple[HTTPStatus, bytes]:
    stopped = f"; stopped, see tailer status: {', '.join(health.given_up)}" if health.given_up else ""
    waiting = "; waiting to save the checkpoint" if health.save_failure else ""  # why is in the log: it may name a host
    lag = health.lag()
    text = f"{health.state}{waiting}, {'?' if isnan(lag) else f'{lag:.1f}'} s behind{stopped}\n".encode()
    return HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, text


def _head(stream: BufferedIOBase) -> bytes:
    """A request's line and headers, up to the empty line or the limit."""
    head = b""
    while len(head) < HEAD_LIMIT and (line := stream.readline(HEAD_LIMIT - len(head))):
        head += line
        if line in (b"\r\n", b"\n"):
            break
    return head
