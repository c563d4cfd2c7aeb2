"""The HTTP endpoints ``/healthz``, ``/readyz`` and ``/metrics``."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from math import isnan

import msgspec

from tailer.background import background
from tailer.errors import Misconfigured
from tailer.health.health import CONDITION, Health
from tailer.health.server import BoundedServer, read_head
from tailer.metrics.prometheus import Families

log = logging.getLogger(__name__)

_POLL = 0.1  # seconds between two checks for a stop and for connections that last too long
_PAGES = "there are /healthz, /readyz and /metrics"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"  # Prometheus' content type


@contextmanager
def endpoints(host: str, port: int, health: Health, metrics: Families) -> Iterator[None]:
    """Serve the endpoints on ``host:port`` while the block runs. Port 0 serves none."""
    if port == 0:
        yield
        return
    try:
        server = BoundedServer(host, port, type("Handler", (_Handler,), {"health": health, "metrics": metrics}))
    except OSError as error:
        raise Misconfigured(
            f"TAILER_HTTP_PORT: cannot listen on {host}:{port}: {error.strerror}. Set TAILER_HTTP_HOST and TAILER_HTTP_PORT to "
            "a free address of this machine, or TAILER_HTTP_PORT to 0 for no endpoints"
        ) from error
    over = threading.Event()
    background("http", lambda: server.serve_forever(_POLL), over)
    try:
        yield
    finally:
        over.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    health: Health  # set by ``endpoints``, in a subclass
    metrics: Families

    server_version, sys_version = "Tailrace", ""
    default_request_version = "HTTP/1.0"  # of a request that cannot be parsed: its response has headers too

    def setup(self) -> None:
        """Read the head of the request, up to its limit, before it is parsed."""
        super().setup()
        with self.rfile as stream:
            self.rfile = BytesIO(read_head(stream))

    def do_GET(self) -> None:
        try:
            page = self._page(self.path.partition("?")[0])
        except Exception:
            log.exception(
                "the HTTP request for %s failed because of a bug in the tailer",
                self.path,
                extra={"action": "request_failed"},
            )
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR, "see the log")
            return
        if page is None:
            self.send_error(HTTPStatus.NOT_FOUND, _PAGES)
        else:
            self._respond(*page, _TEXT)

    def do_HEAD(self) -> None:
        self.do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Send an error as JSON that repeats nothing of the request. The base class calls this too."""
        status = HTTPStatus(code)
        if status == HTTPStatus.NOT_IMPLEMENTED:  # the base class's status for a method without a function
            status = HTTPStatus.METHOD_NOT_ALLOWED
        own = message and status in (HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR)
        self.close_connection = True
        body = msgspec.json.encode({"status": status, "error": message if own else status.phrase}) + b"\n"
        self._respond(status, body, "application/json")

    def _respond(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header(CONDITION, self.health.condition)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _page(self, path: str) -> tuple[HTTPStatus, bytes] | None:
        match path:
            case "/healthz":
                return _state(self.health, good=self.health.healthy)
            case "/readyz":
                return _state(self.health, good=self.health.ready)
            case "/metrics":
                return HTTPStatus.OK, self.metrics.text()
            case _:
                return None

    def log_message(self, *_: object) -> None:
        """Log no request: probes arrive every few seconds."""


def _state(health: Health, *, good: bool) -> tuple[HTTPStatus, bytes]:
    stopped = f"; stopped, see tailer status: {', '.join(health.given_up)}" if health.given_up else ""
    waiting = "; waiting to save the checkpoint" if health.save_failure() else ""  # the reason, in the log, may name a host
    lag = health.lag()
    text = f"{health.state}{waiting}, {'?' if isnan(lag) else f'{lag:.1f}'} s behind{stopped}\n".encode()
    return HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, text
