"""A network between a client and its servers that can be cut, slowed down and silenced."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tailrace.dev.loopback import HOST, free_port

_RESET = struct.pack("ii", 1, 0)  # no lingering: a closed connection is reset
_CHUNK = 65_536  # bytes
_START_SECONDS = 5.0


@dataclass(eq=False)
class _Connection:
    """One connection through the proxy. ``subject`` says whether faults apply to it; ``lost`` marks a dead peer."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    subject: bool
    lost: bool = False

    def abort(self) -> None:
        """Reset both ends unless they are closed."""
        _reset(self.client)
        _reset(self.server)


def _reset(end: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    end.transport.abort()


class TcpProxy:
    """
    ``ports[n]`` leads to ``targets[n]``. Faults apply only to connections whose first bytes contain ``mark``; without a mark,
    to all. ``delay`` (seconds) holds back every chunk, ``refusing`` resets every new connection, ``silent`` discards data in
    both directions while both ends believe that they are connected, like a host that has lost power.
    """

    def __init__(self, targets: Sequence[int], mark: bytes = b"") -> None:
        self.ports = [free_port() for _ in targets]
        self.delay = 0.0
        self.refusing = False
        self.silent = False
        self._routes = list(zip(self.ports, targets, strict=True))
        self._mark = mark
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tcp proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._listening.wait(_START_SECONDS):
            raise TimeoutError("the TCP proxy does not listen")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)

    def cut(self) -> None:
        """Reset every connection to which faults apply."""
        self._loop.call_soon_threadsafe(self._abort, False)

    def calm(self) -> None:
        """End all faults. A connection that lost its peer stays dead, and is reset now."""
        self.delay, self.refusing, self.silent = 0.0, False, False
        self._loop.call_soon_threadsafe(self._abort, True)

    @property
    def connections(self) -> int:
        """Return the number of connections to which faults apply."""
        return sum(connection.subject for connection in list(self._connections))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        servers = [self._loop.run_until_complete(self._listen(*route)) for route in self._routes]
        self._listening.set()
        self._loop.run_forever()
        for server in servers:
            server.close()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        for connection in list(self._connections):
            connection.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, port: int, target: int) -> asyncio.Server:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._serve(target, reader, writer)
            _reset(writer)

        return await asyncio.start_server(accept, HOST, port, limit=_CHUNK)

    async def _serve(self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(_CHUNK)  # In both protocols the client sends first.
        subject = self._mark in first
        if not first or (subject and self.refusing):
            return
        back, forth = await asyncio.open_connection(HOST, target, limit=_CHUNK)
        connection = _Connection(writer, forth, subject)
        self._connections.add(connection)
        try:
            await self._pass(connection, forth, first)
            await asyncio.wait(
                [asyncio.ensure_future(self._pump(connection, *way)) for way in ((reader, forth), (back, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._connections.discard(connection)
            connection.abort()

    async def _pump(self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                await self._pass(connection, writer, chunk)
            writer.close()  # The rest of its buffer is sent first.
            await writer.wait_closed()

    async def _pass(self, connection: _Connection, writer: asyncio.StreamWriter, chunk: bytes) -> None:
        if connection.subject and self.delay:
            await asyncio.sleep(self.delay)
        connection.lost |= connection.subject and self.silent
        if not connection.lost:
            writer.write(chunk)
            await writer.drain()

    def _abort(self, only_lost: bool) -> None:
        for connection in list(self._connections):
            if connection.subject and (connection.lost or not only_lost):
                connection.abort()
