"""The network between two ends can be cut, slowed down and silenced, and is fair again afterwards."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devstack.loopback import HOST
from tests.faults.tcp_proxy import TcpProxy


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65_536):
            self.request.sendall(data)


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Resets are what this is about."""


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
def opened(proxy: TcpProxy, first: bytes = b"mark") -> Iterator[socket.socket]:
    """A connection that has spoken and was answered."""
    with socket.create_connection((HOST, proxy.ports[0]), timeout=2) as connection:
        assert asked(connection, first) == first
        yield connection


def asked(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    response = b""
    while len(response) < len(data):
        received = connection.recv(65_536)
        assert received, "closed, and not reset"
        response += received
    return response


def test_what_goes_in_comes_out(proxy: TcpProxy) -> None:
    """In fair weather nothing is changed, however much it is."""
    data = b"x" * 3_000_000
    with opened(proxy) as connection:
        threading.Thread(target=connection.sendall, args=(data,), daemon=True).start()
        response = bytearray()
        while len(response) < len(data) and (received := connection.recv(65_536)):
            response += received
        assert response == data


def test_a_cut_resets_what_is_marked_and_nothing_else(proxy: TcpProxy) -> None:
    """The connections between the members of a replica set stay while the tailer's are cut."""
    with opened(proxy) as marked, opened(proxy, b"other") as other:
        assert proxy.connections == 1
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            marked.recv(1)
        assert asked(other, b"still here") == b"still here"


def test_refusing_resets_new_connections_until_it_is_calm(proxy: TcpProxy) -> None:
    """Those that are there stay."""
    with opened(proxy) as connection:
        proxy.refusing = True
        with pytest.raises(ConnectionResetError), opened(proxy):
            pass
        assert asked(connection, b"hello") == b"hello"
        proxy.calm()
        with opened(proxy):
            pass


def test_silence_swallows_everything_and_the_connection_never_recovers(proxy: TcpProxy) -> None:
    """Half-open: both ends believe in it, until the reset."""
    with opened(proxy) as connection:
        proxy.silent = True
        connection.sendall(b"anybody there?")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        proxy.calm()
        connection.settimeout(2)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
        with opened(proxy):
            pass


def test_a_delay_holds_back_and_keeps_the_order(proxy: TcpProxy) -> None:
    """Later, but the same."""
    with opened(proxy) as connection:
        proxy.delay = 0.1
        began = time.monotonic()
        assert asked(connection, b"one") + asked(connection, b"two") == b"onetwo"
        assert time.monotonic() - began >= 0.4  # there and back, twice
