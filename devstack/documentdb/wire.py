"""Messages of MongoDB's wire protocol."""

import socket
import struct
from collections.abc import Iterator

import bson

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
_HEADER = struct.Struct("<iiii")  # length, request, response to, opcode
_MORE_TO_COME = 2
_REPLY_BODY = 36  # bytes before the document of an OP_REPLY


class Message:
    """One message. ``body`` is its command or its reply."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        _, self._number, self._response_to, self.opcode = _HEADER.unpack(raw[:16])
        start = self._start()
        size = int.from_bytes(raw[start : start + 4], "little") if start else 0
        self.body = raw[start : start + size]
        self._end = start + size

    def _start(self) -> int:
        """Return the offset of the body; 0 if the message has none. A body is the first section of an OP_MSG."""
        if self.opcode == OP_MSG:
            return 21 if self._raw[20] == 0 else 0
        if self.opcode == OP_QUERY:
            return self._raw.index(0, 20) + 9
        return _REPLY_BODY if self.opcode == OP_REPLY else 0

    def sequence(self, name: str) -> list[bytes]:
        """Return the documents of a section, which drivers use for the documents of a write. Empty if there is none."""
        at, identifier = self._end, name.encode() + b"\0"
        while self.opcode == OP_MSG and at + 5 < len(self._raw):
            end = at + 1 + int.from_bytes(self._raw[at + 1 : at + 5], "little")
            if self._raw.startswith(identifier, at + 5):
                return list(_documents(self._raw[at + 5 + len(identifier) : end]))
            at = end
        return []

    @property
    def raw(self) -> bytes:
        return self._raw

    @property
    def more_to_come(self) -> bool:
        """Whether the sender expects no reply, or more replies follow this one."""
        return self.opcode == OP_MSG and bool(self._raw[16] & _MORE_TO_COME)

    def with_body(self, body: bytes) -> bytes:
        """Return the same message with another body."""
        start = self._end - len(self.body)
        content = self._raw[16:start] + body + self._raw[self._end :]
        return _HEADER.pack(16 + len(content), self._number, self._response_to, self.opcode) + content

    def reply(self, document: dict[str, object]) -> bytes:
        """Return a reply to this message."""
        document = {"ok": 1.0} | document
        if self.opcode == OP_QUERY:
            content, opcode = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(document), OP_REPLY
        else:
            content, opcode = bytes(5) + bson.encode(document), OP_MSG
        return _HEADER.pack(16 + len(content), self._number, self._number, opcode) + content


def _documents(raw: bytes) -> Iterator[bytes]:
    while raw:
        size = int.from_bytes(raw[:4], "little")
        yield raw[:size]
        raw = raw[size:]


def read(connection: socket.socket) -> Message | None:
    """Return the next message; None at the end of the connection."""
    try:
        head = connection.recv(16, socket.MSG_WAITALL)
        if len(head) < 16:
            return None
        size = _HEADER.unpack(head)[0] - 16
        body = connection.recv(size, socket.MSG_WAITALL)
        return Message(head + body) if len(body) == size else None
    except OSError:
        return None
