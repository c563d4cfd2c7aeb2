"""A proxy in front of a real mongod that responds as Amazon DocumentDB does: the profile says how, the rules play it."""

import socket
import socketserver
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from bson.timestamp import Timestamp
from pymongo import MongoClient

from devstack.documentdb.bson_fields import Fields
from devstack.documentdb.cluster import Cluster, Document, OpenCursor, values_of
from devstack.documentdb.exchange import Exchange, Reply, error
from devstack.documentdb.profiles import Value
from devstack.documentdb.rules.greeting import HELLO
from devstack.documentdb.rules.table import REPLIES, REQUESTS
from devstack.documentdb.wire import read
from tailrace.dev.loopback import HOST
from tailrace.dev.mongod import REPLICA_SET

_WITH_A_CURSOR = {"aggregate", "find", "listCollections", "listIndexes", "getMore"}
_HOSTS = ("hosts", "passives")


class DocumentdbDialect(Cluster):
    """
    ``with DocumentdbDialect(ports) as database:`` listens on a port for each member of a replica set; ``uri`` connects to it.
    ``values`` replace values of the profile. What the cluster keeps (users, cursors, what is enabled) is the same on every
    connection.
    """

    def __init__(self, ports: int | Sequence[int], profile: str = "documentdb-5.0", **values: Value) -> None:
        super().__init__(values=values_of(profile, values), now=self._operation_time)
        self._targets = [ports] if isinstance(ports, int) else list(ports)
        self._servers = [socketserver.ThreadingTCPServer((HOST, 0), _handler(self, target)) for target in self._targets]
        for server in self._servers:
            server.daemon_threads = True
        self._names = {f"{HOST}:{target}": f"{HOST}:{port}" for target, port in zip(self._targets, self.ports, strict=True)}

    @property
    def ports(self) -> list[int]:
        return [server.server_address[1] for server in self._servers]

    @property
    def uri(self) -> str:
        hosts = ",".join(f"{HOST}:{port}" for port in self.ports)
        return f"mongodb://{hosts}/?replicaSet={REPLICA_SET}&retryWrites=false"

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.closing.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()
        if "_mongod" in self.__dict__:
            self._mongod.close()

    def response(self, exchange: Exchange) -> Document | None:
        """Return DocumentDB's response, or None where it is mongod's."""
        if self.denied & {exchange.name, *(name for stage in exchange.stages[:1] for name in stage)}:
            return error(13, "Authorization failure")
        for row, rule in REQUESTS.items():
            if (response := rule(exchange, self.values[row])) is not None:
                return response
        return None

    def rewrite(self, exchange: Exchange, body: bytes) -> bytes:
        """Return mongod's reply as DocumentDB sends it."""
        exchange.reply = reply = Reply(body)
        if exchange.of_stream:
            reply.read_events()
        for row, rule in REPLIES.items():
            rule(exchange, self.values[row])
        if exchange.name in HELLO:
            self._rename(reply.fields)
        self._note_cursor(exchange)
        return reply.encode()

    def scan_history(self, exchange: Exchange) -> None:
        """Wait as long as the server scans history before it responds to this command."""
        if exchange.watching is not None:
            self.closing.wait(self.opening)
        elif (number := exchange.command.get("getMore")) and number not in self.reads:
            self.reads.append(number)
            self.closing.wait(self.scan)
        elif exchange.name in self.slow:
            self.closing.wait(self.scan)

    @cached_property
    def _mongod(self) -> "MongoClient[Any]":
        return MongoClient(HOST, self._targets[0], directConnection=True)

    def _operation_time(self) -> Timestamp:
        time: Timestamp = self._mongod.admin.command("ping")["operationTime"]
        return time

    def _rename(self, fields: Fields) -> None:
        """Replace the members' ports by those of this proxy, so that drivers connect here."""
        for name in {"me", "primary", *_HOSTS} & set(fields.names):
            value = fields.get(name)
            named = [self._names.get(one, one) for one in ([value] if isinstance(value, str) else value)]
            fields.set(name, named[0] if isinstance(value, str) else named)

    def _note_cursor(self, exchange: Exchange) -> None:
        """Keep account of open cursors, and of the tokens that a client received."""
        if exchange.name == "killCursors":
            for number in exchange.command["cursors"]:
                self.cursors.pop(number, None)
        if exchange.name not in _WITH_A_CURSOR or "cursor" not in exchange.reply.fields:
            return
        reply = exchange.reply.cursor or Fields(exchange.reply.fields.raw("cursor"))
        number = reply.get("id")
        if not number:
            self.cursors.pop(exchange.command.get("getMore", 0), None)
            return
        cursor = self.cursors.setdefault(number, OpenCursor(watched=exchange.watched, used=0.0))
        cursor.used = self.clock()
        if cursor.watched is None:
            return
        if "resumeAfter" in (exchange.watching or {}):
            cursor.empty_replies = int(self.values["scanning"])
        cursor.token = reply.get("postBatchResumeToken")
        self.given |= {token["_data"] for token in [cursor.token, *(one.get("_id") for one in exchange.reply.events)] if token}


def _handler(dialect: DocumentdbDialect, port: int) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), socket.create_connection((HOST, port)) as mongod:  # Clients disconnect at any time.
                while message := read(self.request):
                    exchange = Exchange(dialect, message)
                    dialect.scan_history(exchange)
                    if (response := dialect.response(exchange)) is not None:
                        self.request.sendall(message.reply(response))
                    elif not self._relay(mongod, exchange):
                        return

        def _relay(self, mongod: socket.socket, exchange: Exchange) -> bool:
            """Send the command to mongod and its reply to the client. Return whether both connections are open."""
            if exchange.writes_many:
                dialect.writes.add(exchange)
            try:
                mongod.sendall(exchange.encode())
                return exchange.message.more_to_come or self._reply(mongod, exchange)
            finally:
                dialect.writes.discard(exchange)

        def _reply(self, mongod: socket.socket, exchange: Exchange) -> bool:
            while reply := read(mongod):
                self.request.sendall(reply.with_body(dialect.rewrite(exchange, reply.body)) if reply.body else reply.raw)
                if not reply.more_to_come:
                    return True
            return False

    return Handler
