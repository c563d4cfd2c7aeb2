"""The way to the bus, which can be closed: so that a publisher fails for a while, as it does in every year of production."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

HOP_HEADERS = frozenset({"connection", "transfer-encoding", "content-length", "host", "server", "date"})


class Gate:
    """``with Gate(endpoint) as gate:`` passes everything on to the endpoint; while ``closed``, it answers 503 to everybody."""

    def __init__(self, endpoint: str) -> None:
        self.closed = False
        self.refused = 0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, endpoint))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), name="gate", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()


def _handler(gate: Gate, endpoint: str) -> type[BaseHTTPRequestHandler]:
    where = urlsplit(endpoint)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if gate.closed:
                gate.refused += 1
                self._response(503, {}, b"")
                return
            onward = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=30)
            try:
                onward.request("POST", self.path, body, dict(self.headers.items()))
                response = onward.getresponse()
                self._response(response.status, dict(response.getheaders()), response.read())
            finally:
                onward.close()

        def log_message(self, *_: object) -> None:
            """Quiet."""

        def _response(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in HOP_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
