"""
DocumentDB's dialect: a proxy for a real mongod, which responds as DocumentDB 5.0 does where the two differ. It keeps the list
of change streams and the users of ``$external``, accepts IAM roles, reports no cluster time, has no oplog, and supports neither
pre-images nor ``getParameter``. Every other response is mongod's. The differences are documented by AWS or were measured by
others.
"""

import socket
import socketserver
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import bson

from tailrace.dev.loopback import HOST

Document = dict[str, Any]

UNDOCUMENTED = {"wallTime", "lsid", "txnNumber"}  # fields of MongoDB's events that DocumentDB does not have

_HEADER = struct.Struct("<iiii")  # length, request, response to, opcode
_OP_MSG = 2013
_MORE_TO_COME = 2
_LOST = (136, "CappedPositionLost: CollectionScan died due to position in capped collection being deleted.")


class DocumentdbDialect:
    """
    ``with DocumentdbDialect(port) as database:`` listens on a port of its own; ``uri`` connects to it. ``enabled`` holds
    (database, collection) as ``$listChangeStreams`` lists them, ``users`` the roles by ARN, ``keys`` the access keys of roles
    that may sign in, ``denied`` the commands that the user may not run, ``unsupported`` the stages that the engine does not
    support. ``lost`` makes every resume token too old. ``seen`` is every command that changed something, and every sign-in.
    ``post_batch_tokens`` is off before engine patch 3.0.11800. ``stalled``: no change events are written, as during a long
    updateMany; a read gets an empty reply at once, and each advances the server's clock by a second. ``given`` is every resume
    token that a client received. ``scan`` is how many seconds the server scans history before it responds to the first read of
    a cursor, and to the commands in ``slow``; ``opening`` before it opens a change stream; ``reads`` are the cursors that were
    read.
    """

    def __init__(self, port: int) -> None:
        self.enabled: set[tuple[str, str]] = set()
        self.users: dict[str, list[Document]] = {}
        self.keys: set[str] = set()
        self.denied: set[str] = set()
        self.unsupported: set[str] = set()
        self.lost = False
        self.post_batch_tokens = True
        self.stalled = False
        self.given: set[str] = set()
        self.scan = self.opening = 0.0
        self.slow: set[str] = set()
        self.reads: list[int] = []
        self._closing = threading.Event()
        self.version = (5, 0)
        self.seen: list[Document] = []
        self._latest: dict[int, Document] = {}
        self._time = int(time.time())
        self._server = socketserver.ThreadingTCPServer((HOST, 0), _handler(self, port), bind_and_activate=True)
        self._server.daemon_threads = True

    @property
    def uri(self) -> str:
        return f"mongodb://{HOST}:{self._server.server_address[1]}/?directConnection=true&serverMonitoringMode=poll"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def response(self, command: Document) -> Document | None:
        """Return DocumentDB's response, or None where it is MongoDB's."""
        name = next(iter(command))
        stage = (command.get("pipeline") or [{}])[0]
        if name in self.denied or next(iter(stage), "") in self.denied:
            return _error(13, "Authorization failure")
        match name:
            case "modifyChangeStreams":
                return self._modify(command)
            case "usersInfo" | "createUser" | "updateUser" | "dropUser":
                return self._user(name, command)
            case "aggregate" if "$listChangeStreams" in stage:
                rows = [{"database": database, "collection": collection} for database, collection in sorted(self.enabled)]
                return _cursor(rows)
            case "aggregate" if unsupported := self.unsupported & {name for one in command["pipeline"] for name in one}:
                return _error(304, f"Aggregation stage not supported: '{min(unsupported)}'")
            case "aggregate" if "$changeStream" in stage:
                return self._watch(stage["$changeStream"])
            case "getMore" if self.stalled:
                return self._nothing_yet(command)
            case "saslStart" if command["mechanism"] == "MONGODB-AWS":
                nonce = bson.decode(command["payload"])["r"] + bytes(32)
                return _said({"s": nonce, "h": "sts.amazonaws.com"}, done=False)
            case "saslContinue":
                return self._sign_in(bson.decode(command["payload"]))
            case "find" if command["$db"] == "local":
                return _cursor([])
            case "buildInfo" | "buildinfo":
                major, minor = self.version
                return {"version": f"{major}.{minor}.0", "versionArray": [major, minor, 0, 0], "ok": 1.0}
            case "getParameter":
                return _error(303, "Feature not supported: getParameter")
        return None

    def scan_history(self, command: Document) -> None:
        """Wait as long as the server scans history before it responds to this command."""
        if "$changeStream" in (command.get("pipeline") or [{}])[0]:
            self._closing.wait(self.opening)
        elif (cursor := command.get("getMore")) and cursor not in self.reads:
            self.reads.append(cursor)
            self._closing.wait(self.scan)
        elif next(iter(command)) in self.slow:
            self._closing.wait(self.scan)

    def strip(self, reply: Document) -> None:
        """Remove from mongod's reply to the client what DocumentDB does not send."""
        reply.pop("$clusterTime", None)
        cursor = reply.get("cursor", {})
        if not self.post_batch_tokens:
            cursor.pop("postBatchResumeToken", None)
        if token := cursor.get("postBatchResumeToken"):
            self._latest[cursor["id"]] = token
        events = [event for name in ("firstBatch", "nextBatch") for event in cursor.get(name, []) if "operationType" in event]
        for event in events:
            for field in UNDOCUMENTED & event.keys():
                del event[field]
        tokens = [token, *(event["_id"] for event in events)]
        self.given |= {token["_data"] for token in tokens if token}

    def _nothing_yet(self, command: Document) -> Document:
        self._time += 1
        cursor = {"id": command["getMore"], "ns": f"{command['$db']}.{command['collection']}", "nextBatch": []}
        if self.post_batch_tokens and (latest := self._latest.get(command["getMore"])):
            cursor["postBatchResumeToken"] = latest
        return {"cursor": cursor, "operationTime": bson.Timestamp(self._time, 1), "ok": 1.0}

    def _modify(self, command: Document) -> Document:
        scope = (command["database"], command["collection"])
        self.seen.append({"scope": scope, "enable": command["enable"]})
        (self.enabled.add if command["enable"] else self.enabled.discard)(scope)
        return {"ok": 1.0}

    def _user(self, name: str, command: Document) -> Document:
        assert command["$db"] == "$external"
        user = command[name]
        if name == "usersInfo":
            return {"users": [{"user": user, "roles": self.users[user]}] if user in self.users else [], "ok": 1.0}
        if (name == "createUser") == (user in self.users):
            return _error(51003, f"User {user} already exists") if user in self.users else _error(11, f"User {user} not found")
        self.seen.append({key: value for key, value in command.items() if not key.startswith(("$", "lsid"))})
        if name == "dropUser":
            del self.users[user]
        else:
            self.users[user] = command["roles"]
        return {"ok": 1.0}

    def _sign_in(self, payload: Document) -> Document:
        """
        Handle the signed request to STS that identifies the user, which DocumentDB would send on; here the access key decides.
        """
        key = payload["a"].partition("Credential=")[2].partition("/")[0]
        self.seen.append({"signIn": key, "token": payload.get("t")})
        return _said({}, done=True) if key in self.keys else _error(18, "Authentication failed.")

    def _watch(self, options: Document) -> Document | None:
        if unknown := {"startAfter", "fullDocumentBeforeChange"} & options.keys():
            return _error(9, f"BSON field '$changeStream.{min(unknown)}' is an unknown field.")
        return _error(*_LOST) if self.lost and "resumeAfter" in options else None


def _cursor(rows: list[Document]) -> Document:
    return {"cursor": {"firstBatch": rows, "id": bson.Int64(0), "ns": "admin.$cmd.aggregate"}, "ok": 1.0}


def _said(payload: Document, *, done: bool) -> Document:
    return {"conversationId": 1, "done": done, "payload": bson.Binary(bson.encode(payload)), "ok": 1.0}


def _error(code: int, text: str) -> Document:
    return {"ok": 0.0, "code": code, "errmsg": text}


def _handler(dialect: DocumentdbDialect, port: int) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), socket.create_connection((HOST, port)) as mongod:  # Clients disconnect at any time.
                while message := _read(self.request):
                    command = _document(message)
                    if command:
                        dialect.scan_history(command)
                    if command and (response := dialect.response(command)):
                        self.request.sendall(_reply(message, response))
                    else:
                        mongod.sendall(message)
                        self._relay(mongod)

        def _relay(self, mongod: socket.socket) -> None:
            while reply := _read(mongod):
                told = _document(reply)
                if told:
                    dialect.strip(told)
                    self.request.sendall(_reply(reply, told, keep=True))
                else:
                    self.request.sendall(reply)
                if not (told and reply[16] & _MORE_TO_COME):
                    return

    return Handler


def _read(connection: socket.socket) -> bytes:
    """Return one message, or None at the end."""
    try:
        head = connection.recv(16, socket.MSG_WAITALL)
        if len(head) < 16:
            return b""
        return head + connection.recv(_HEADER.unpack(head)[0] - 16, socket.MSG_WAITALL)
    except OSError:
        return b""


def _document(message: bytes) -> Document | None:
    """Return the command or the reply of an OP_MSG, or None for the older opcodes, with which connections begin."""
    if _HEADER.unpack(message[:16])[3] != _OP_MSG:
        return None
    size = int.from_bytes(message[21:25], "little")
    return bson.decode(message[21 : 21 + size])


def _reply(to: bytes, document: Document, *, keep: bool = False) -> bytes:
    """Build an OP_MSG that replies to a message; with ``keep`` replace the document of a reply."""
    _, request, response_to, _ = _HEADER.unpack(to[:16])
    flags = to[16:20] if keep else bytes(4)
    body = flags + b"\0" + bson.encode(document)
    return _HEADER.pack(16 + len(body), request, response_to if keep else request, _OP_MSG) + body
