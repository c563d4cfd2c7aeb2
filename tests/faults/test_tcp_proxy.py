"""The network can be cut, slowed down and silenced, and works again afterwards."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tailrace.dev.loopback import HOST
from tests.faults.tcp_proxy import TcpProxy


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65_536):
            self.request.sendall(data)


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Resets are expected."""


@pytest.fixture(scope="module")
def echo() -> Iterator[int]:
    with EchoServer((HOST, 0), Echo) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def proxy(echo: int) -> Iterator[TcpProxy]:
    with TcpProxy([echo], b"mark") as proxy:
        yield proxy


@contextmanager
def open_connection(proxy: TcpProxy, first: bytes = b"mark") -> Iterator[socket.socket]:
    """Open a connection that has sent and received."""
    with socket.create_connection((HOST, proxy.ports[0]), timeout=2) as connection:
        assert exchange(connection, first) == first
        yield connection


def exchange(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    response = b""
    while len(response) < len(data):
        received = connection.recv(65_536)
        assert received, "closed, and not reset"
        response += received
    return response


def test_data_passes_unchanged_without_faults(proxy: TcpProxy) -> None:
    data = b"x" * 3_000_000
    with open_connection(proxy) as connection:
        threading.Thread(target=connection.sendall, args=(data,), daemon=True).start()
        response = bytearray()
        while len(response) < len(data) and (received := connection.recv(65_536)):
            response += received
        assert response == data


def test_cut_resets_only_marked_connections(proxy: TcpProxy) -> None:
    """Connections between the members of a replica set stay while the tailer's are cut."""
    with open_connection(proxy) as marked, open_connection(proxy, b"other") as other:
        assert proxy.connections == 1
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            marked.recv(1)
        assert exchange(other, b"still here") == b"still here"


def test_refusing_resets_new_connections_until_calm(proxy: TcpProxy) -> None:
    """Existing ones stay."""
    with open_connection(proxy) as connection:
        proxy.refusing = True
        with pytest.raises(ConnectionResetError), open_connection(proxy):
            pass
        assert exchange(connection, b"hello") == b"hello"
        proxy.calm()
        with open_connection(proxy):
            pass


def test_silenced_connection_never_recovers(proxy: TcpProxy) -> None:
    """Half-open: both ends believe that they are connected until the reset."""
    with open_connection(proxy) as connection:
        proxy.silent = True
        connection.sendall(b"anybody there?")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        proxy.calm()
        connection.settimeout(2)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        with open_connection(proxy):
            pass


def test_delay_keeps_the_order(proxy: TcpProxy) -> None:
    with open_connection(proxy) as connection:
        proxy.delay = 0.1
        began = time.monotonic()
        assert exchange(connection, b"one") + exchange(connection, b"two") == b"onetwo"
        assert time.monotonic() - began >= 0.4  # each direction, twice
