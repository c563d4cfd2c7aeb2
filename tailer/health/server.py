"""An HTTP server with a limit on the number of connections, their duration and the size of a request."""

import logging
import socket
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from socketserver import TCPServer
from typing import Any

log = logging.getLogger(__name__)

CONNECTIONS = 32  # open at a time, each with a thread; one more closes the oldest
SECONDS = 5.0  # duration of a connection
HEAD_LIMIT = 8_192  # bytes of a request


class BoundedServer(ThreadingHTTPServer):
    """Listens on an IPv4 or IPv6 address; ``::`` is every address of both kinds."""

    request_queue_size = 128  # connections that the system keeps until they are accepted

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._open: dict[socket.socket, float] = {}  # connection → its start, the oldest first
        self._changing = threading.Lock()
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Listen on both kinds of addresses, and look up no host name in DNS."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for the connection. If there are too many connections, close the oldest."""
        with self._changing:
            if len(self._open) >= CONNECTIONS:
                self._close(next(iter(self._open)))
            self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """Close the connections that last too long. The server calls this between two connections."""
        with self._changing:
            for connection, since in list(self._open.items()):
                if time.monotonic() - since > SECONDS:
                    self._close(connection)

    def shutdown_request(self, request: Any) -> None:
        """The thread of a connection has ended."""
        with self._changing:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - of the base class
        """Log an error, unless the client or this server closed the connection."""
        if not isinstance(sys.exception(), OSError):
            log.exception("an HTTP request failed because of a bug in the tailer", extra={"action": "request_failed"})

    def _close(self, connection: socket.socket) -> None:
        """Shut the connection down: its thread wakes up and ends."""
        del self._open[connection]
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def read_head(stream: BufferedIOBase) -> bytes:
    """The request line and headers of a request, up to the empty line or the limit."""
    head = b""
    while len(head) < HEAD_LIMIT and (line := stream.readline(HEAD_LIMIT - len(head))):
        head += line
        if line in (b"\r\n", b"\n"):
            break
    return head
