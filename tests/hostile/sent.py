"""Messages that somebody with access to the queue could write, built as text because no encoder of ours would write them."""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tailrace.dev.resources import CLAIM_BUCKET
from tests.hostile.mappers import DATABASE, MESSAGES
from tests.hostile.outcome import PUBLISHED, Expected

LANE = 17
CHUNK = 1_000_000  # bytes


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A message's body, its group if it is not its lane's, and the objects in the claim bucket."""

    body: str
    group: str = ""
    objects: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One entry of the table: a function that makes it for a stream, and the expected outcome of its changes."""

    make: Callable[[str], Sent]
    expected: Expected = (PUBLISHED,)


def change(sequence: float = 1, **fields: Any) -> dict[str, Any]:
    """Return a valid change as JSON with these fields."""
    return {
        "id": f"8265F2A1C0{sequence}",
        "sequence": sequence,
        "operationType": "insert",
        "ns": {"db": DATABASE, "coll": MESSAGES},
        "clusterTime": "1795330680.1",
        "wallTime": "2026-11-22T06:58:00.123Z",
        "documentKey": {"_id": "m"},
        "fullDocument": {"_id": "m"},
    } | fields


def update(path: str, before: Any, **described: Any) -> dict[str, Any]:
    return change(
        operationType="update",
        fullDocumentBeforeChange={"_id": "m", "a": before},
        updateDescription={"updatedFields": {path: 1}, "removedFields": []} | described,
    )


def envelope(stream: str, changes: Any, **fields: Any) -> str:
    told = {"version": 1, "stream": stream, "generation": 1, "lane": LANE, "encoding": "identity", "changes": changes}
    return json.dumps(told | fields)


def of(*changes: Any, expected: Expected | None = None, group: str = "", **fields: Any) -> Message:
    """Return a message with these changes, and other fields of its envelope."""
    outcome = (PUBLISHED,) * len(changes) if expected is None else expected
    return Message(make=lambda stream: Sent(body=envelope(stream, changes, **fields), group=group), expected=outcome)


def text(body: str | Callable[[str], str], *expected: str) -> Message:
    """Return a message with this body, or with the body made for a stream."""
    return Message(make=lambda stream: Sent(body=body if isinstance(body, str) else body(stream)), expected=expected)


def raw(document: str, *expected: str) -> Message:
    """Return a change whose document is this JSON text."""
    marked = envelope("STREAM", [change(fullDocument="DOCUMENT")])
    return text(lambda stream: marked.replace("STREAM", stream).replace('"DOCUMENT"', document), *(expected or (PUBLISHED,)))


def squeezed(changes: Callable[[], Sequence[bytes]], *expected: str) -> Message:
    """Compress the changes, given in parts: uncompressed they may be larger than this process can hold."""

    def make(stream: str) -> Sent:
        packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
        packed = b"".join([*map(packer.compress, changes()), packer.flush()])
        return Sent(body=envelope(stream, base64.b64encode(packed).decode(), encoding="gzip"))

    return Message(make=make, expected=expected or (PUBLISHED,))


def within(document: bytes, times: int = 1, after: bytes = b"") -> Sequence[bytes]:
    """Return the parts of an array of one change, whose document is the repeated text with an end."""
    head, tail = json.dumps([change(fullDocument="DOCUMENT")]).encode().split(b'"DOCUMENT"')
    return [head, *[document] * times, after, tail]


def claimed(content: Callable[[], bytes], *expected: str, **claim: Any) -> Message:
    """Return a change whose content is in the claim bucket; ``claim`` has the wrong fields of its claim."""

    def make(stream: str) -> Sent:
        stored = content()
        key = f"{stream}/1/1-{hashlib.sha256(stored).hexdigest()}.json"
        honest = {"bucket": CLAIM_BUCKET, "key": key, "bytes": len(stored), "sha256": hashlib.sha256(stored).hexdigest()}
        light = {name: value for name, value in change().items() if name != "fullDocument"}
        body = envelope(stream, [light | {"claim": honest | claim}])
        return Sent(body=body, objects={key: stored})

    return Message(make=make, expected=expected or (PUBLISHED,))


def whole(document: str) -> bytes:
    """Return a change as it is stored in the bucket, with this JSON text as its document."""
    return json.dumps(change(fullDocument="DOCUMENT")).replace('"DOCUMENT"', document).encode("utf-8", "surrogatepass")


def bomb(byte: bytes, size: int) -> Sequence[bytes]:
    return [byte * CHUNK] * (size // CHUNK)


def deep(levels: int, opening: str = "[", inmost: str = "", closing: str = "]") -> str:
    return opening * levels + inmost + closing * levels
