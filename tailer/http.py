"""``/healthz``, ``/readyz`` and ``/metrics``."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import isnan

from tailer.errors import Misconfigured
from tailer.metrics import Families
from tailer.pulse import CONDITION, Pulse

_POLL = 0.1  # seconds until the server notices that it shall stop


@contextmanager
def endpoints(host: str, port: int, pulse: Pulse, metrics: Families) -> Iterator[None]:
    """
    Answer on ``host:port`` while the block runs; port 0 answers nowhere.

    Raises:
        Misconfigured: the address cannot be used.
    """
    if port == 0:
        yield
        return
    try:
        server = _Server(host, port, _handler(pulse, metrics))
    except OSError as error:
        raise Misconfigured(f"TAILER_HTTP_PORT: cannot listen on {host}:{port}: {error.strerror}") from error
    threading.Thread(target=server.serve_forever, args=(_POLL,), name="http", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Of either kind of address; ``::`` is every one of both kinds, as the probe and the doctor take it."""

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Listen; a system may keep the two kinds apart unless it is told not to."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def _handler(pulse: Pulse, metrics: Families) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "Tailrace", ""

        def do_GET(self) -> None:
            """A page by its path."""
            match self.path.partition("?")[0]:
                case "/healthz":
                    self._state(good=pulse.healthy)
                case "/readyz":
                    self._state(good=pulse.ready)
                case "/metrics":
                    self._answer(HTTPStatus.OK, metrics.text(), "text/plain; version=0.0.4; charset=utf-8")
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, b"/healthz, /readyz, /metrics\n")

        def _state(self, *, good: bool) -> None:
            stopped = f"; stopped, see tailer status: {', '.join(pulse.given_up)}" if pulse.given_up else ""
            lag = pulse.lag()
            text = f"{pulse.state}, {'?' if isnan(lag) else f'{lag:.1f}'} s behind{stopped}\n".encode()
            self._answer(HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, text)

        def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
            self.send_response(status)
            self.send_header(CONDITION, pulse.condition)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes come every few seconds and are not news."""

    return Handler
