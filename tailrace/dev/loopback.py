"""127.0.0.1 and its ports. A local system uses no other address."""

import http.client
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Self

from tailrace.dev.workspace import Child, StartFailed

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)  # below the range from which systems take the ports of outgoing connections
POLL_SECONDS = 0.02


class HttpServer:
    """``with HttpServer(handler):`` serves on a free port until the block ends."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._http = ThreadingHTTPServer((HOST, 0), handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), name=type(self).__name__, daemon=True)

    @property
    def port(self) -> int:
        return self._http.server_port

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def free_port() -> int:
    """Return a free port. No other process gets the same port here while this process runs."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, socket.socket(type=socket.SOCK_DGRAM) as reserved:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                reserved.bind((HOST, port))  # a UDP socket reserves the number and leaves the TCP port free
                probe.bind((HOST, port))
            except OSError:
                continue
            reserved.detach()  # the end of the process closes it
            return port
    raise StartFailed(
        f"no free port on {HOST} from {PORTS.start} to {PORTS.stop - 1}: end programs that listen there; ss -ltnp lists them"
    )


def get(port: int, path: str, timeout: float = 5.0, headers: Mapping[str, str] = MappingProxyType({})) -> tuple[int, str]:
    """Return status and body of a GET, without a proxy. Status 0: no response."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def wait_until(ready: Callable[[], bool], child: Child, seconds: float) -> None:
    """
    Return once ``ready`` returns true.

    Raises:
        StartFailed: the process ended first, or the time is over. The message has the end of its log.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if not child.running:
            raise StartFailed(f"{child.name} ended before it was ready; the end of its log:\n{child.log_tail()}")
        if time.monotonic() > deadline:
            raise StartFailed(f"{child.name} was not ready within {seconds:g} s; the end of its log:\n{child.log_tail()}")
        time.sleep(POLL_SECONDS)
