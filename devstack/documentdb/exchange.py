"""One command of a client and the reply to it, as the rules see and change them."""

from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion

from devstack.documentdb.bson_fields import Fields, array, documents
from devstack.documentdb.cluster import Cluster, Document, OpenCursor
from devstack.documentdb.enablement import Names
from devstack.documentdb.wire import Message

_TOLERANT: CodecOptions[Document] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO, unicode_decode_error_handler="replace"
)
_MANY = {"update": ("updates", "multi", True), "delete": ("deletes", "limit", 0)}  # a command, and how its writes say "many"


class Reply:
    """A reply of mongod. ``events`` are the change events in it; ``cursor`` the rest of its cursor."""

    def __init__(self, body: bytes) -> None:
        self.fields = Fields(body)
        self.cursor: Fields | None = None
        self.events: list[Fields] = []
        self._batch = ""

    def read_events(self) -> None:
        """Read the cursor and its events, if the reply has one."""
        if "cursor" in self.fields:
            self.cursor = Fields(self.fields.raw("cursor"))
            self._batch = "firstBatch" if "firstBatch" in self.cursor else "nextBatch"
            self.events = documents(self.cursor.raw(self._batch))

    def encode(self) -> bytes:
        if self.cursor:
            self.cursor.set_raw(self._batch, b"\x04", array(self.events))
            self.fields.set_raw("cursor", b"\x03", self.cursor.encode())
        return self.fields.encode()


class Exchange:
    """
    ``command`` is the command as a document; whoever changes it sets ``changed``. ``watching`` has the options of the change
    stream that it opens.
    """

    def __init__(self, cluster: Cluster, message: Message) -> None:
        self.cluster = cluster
        self.message = message
        self.command: Document = bson.decode(message.body, _TOLERANT) if message.body else {}
        self.name = next(iter(self.command), "")
        self.changed = False
        self.reply = Reply(b"\5\0\0\0\0")

    @property
    def database(self) -> str:
        return str(self.command.get("$db", "admin"))

    @property
    def stages(self) -> list[Document]:
        pipeline = self.command.get("pipeline")
        return pipeline if isinstance(pipeline, list) else []

    @property
    def watching(self) -> Document | None:
        options: Document | None = (self.stages or [{}])[0].get("$changeStream") if self.name == "aggregate" else None
        return options

    @property
    def watched(self) -> Names | None:
        """What the command opens a change stream on."""
        if self.watching is None:
            return None
        if self.watching.get("allChangesForCluster"):
            return "", ""
        return self.database, self.command["aggregate"] if isinstance(self.command["aggregate"], str) else ""

    @property
    def cursor(self) -> OpenCursor | None:
        """The cursor that a getMore reads."""
        return self.cluster.cursors.get(self.command["getMore"]) if self.name == "getMore" else None

    @property
    def of_stream(self) -> bool:
        """Whether the command opens or reads a change stream."""
        return self.watching is not None or bool(self.cursor and self.cursor.watched)

    @property
    def writes_many(self) -> bool:
        """Whether it updates or deletes all documents that match."""
        if self.name not in _MANY:
            return False
        name, field, many = _MANY[self.name]
        writes = [bson.decode(raw, _TOLERANT) for raw in self.message.sequence(name)] or self.command.get(name, [])
        return any(write.get(field) == many for write in writes)

    def encode(self) -> bytes:
        """Return the message for mongod."""
        return self.message.with_body(bson.encode(self.command, codec_options=_TOLERANT)) if self.changed else self.message.raw

    @property
    def code(self) -> int | None:
        """The code of a reply that is an error."""
        code: Any = self.reply.fields.get("code")
        return code if not self.reply.fields.get("ok") else None


def error(code: int, text: str) -> Document:
    return {"ok": 0.0, "code": code, "errmsg": text}


def no_documents(exchange: Exchange, rows: list[Any] | None = None) -> Document:
    """Return a reply whose cursor has these documents, or none, and is at its end."""
    name = f"{exchange.database}.{exchange.command.get(exchange.name)}"
    return {"cursor": {"firstBatch": rows or [], "id": bson.Int64(0), "ns": name}}
