"""Messages as somebody who may send to the queue could write them, built as text: no encoder of ours would."""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devstack.resources import CLAIM_BUCKET
from tests.hostile.mappers import DATABASE, MESSAGES
from tests.hostile.outcome import PUBLISHED, Expected

LANE = 17
CHUNK = 1_000_000  # bytes


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A message's body, the group it is sent to if not that of its lane, and the objects that lie in the claim bucket."""

    body: str
    group: str = ""
    objects: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Message:
    """
    One entry of the table: how it is made, given the stream that it says it is of, and what must become of its changes.
    """

    make: Callable[[str], Sent]
    expected: Expected = (PUBLISHED,)


def change(sequence: float = 1, **fields: Any) -> dict[str, Any]:
    """A valid change as JSON, but for the fields that are given."""
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
    """A message with these changes, and other fields of its envelope."""
    outcome = (PUBLISHED,) * len(changes) if expected is None else expected
    return Message(make=lambda stream: Sent(body=envelope(stream, changes, **fields), group=group), expected=outcome)


def text(body: str | Callable[[str], str], *expected: str) -> Message:
    """A body as it stands, or made for a stream."""
    return Message(make=lambda stream: Sent(body=body if isinstance(body, str) else body(stream)), expected=expected)


def raw(document: str, *expected: str) -> Message:
    """A change whose document is this text of JSON."""
    marked = envelope("STREAM", [change(fullDocument="DOCUMENT")])
    return text(lambda stream: marked.replace("STREAM", stream).replace('"DOCUMENT"', document), *(expected or (PUBLISHED,)))


def squeezed(changes: Callable[[], Sequence[bytes]], *expected: str) -> Message:
    """The changes compressed, given in parts: unpacked they may be larger than this process would like."""

    def make(stream: str) -> Sent:
        packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
        packed = b"".join([*map(packer.compress, changes()), packer.flush()])
        return Sent(body=envelope(stream, base64.b64encode(packed).decode(), encoding="gzip"))

    return Message(make=make, expected=expected or (PUBLISHED,))


def within(document: bytes, times: int = 1, after: bytes = b"") -> Sequence[bytes]:
    """The parts of an array of one change, whose document is the repeated text and what follows it."""
    head, tail = json.dumps([change(fullDocument="DOCUMENT")]).encode().split(b'"DOCUMENT"')
    return [head, *[document] * times, after, tail]


def claimed(content: Callable[[], bytes], *expected: str, **claim: Any) -> Message:
    """A change that lies in the claim bucket; ``claim`` is what its claim says and should not."""

    def make(stream: str) -> Sent:
        stored = content()
        key = f"{stream}/1/1-{hashlib.sha256(stored).hexdigest()}.json"
        honest = {"bucket": CLAIM_BUCKET, "key": key, "bytes": len(stored), "sha256": hashlib.sha256(stored).hexdigest()}
        light = {name: value for name, value in change().items() if name != "fullDocument"}
        body = envelope(stream, [light | {"claim": honest | claim}])
        return Sent(body=body, objects={key: stored})

    return Message(make=make, expected=expected or (PUBLISHED,))


def whole(document: str) -> bytes:
    """A change as it lies in the bucket, with this text of JSON as its document."""
    return json.dumps(change(fullDocument="DOCUMENT")).replace('"DOCUMENT"', document).encode("utf-8", "surrogatepass")


def bomb(byte: bytes, size: int) -> Sequence[bytes]:
    return [byte * CHUNK] * (size // CHUNK)


def deep(levels: int, opening: str = "[", inmost: str = "", closing: str = "]") -> str:
    return opening * levels + inmost + closing * levels
