"""Changes whose JSON takes as much memory as each kind of value can."""

import hashlib
from collections.abc import Callable

from msgspec.structs import replace

from lambda_forwarder.model.parked import light
from tailrace.change import Change
from tailrace.wire.change import Claim, UpdateDescription
from tailrace.wire.message import encode_change
from tests.lambda_forwarder.values import inserted

HOLE = "@"


def list_of(part: str, size: int) -> bytes:
    """Return a JSON list of this part with about this many bytes. ``#`` is a number of eight digits, different each time."""
    if "#" not in part:
        return f"[{','.join([part] * (size // (len(part.encode()) + 1) + 1))}]".encode()
    count = size // (len(part.replace("#", "12345678").encode()) + 1) + 1
    return f"[{','.join(part.replace('#', f'{number:08}') for number in range(count))}]".encode()


def object_of(name: str, size: int) -> bytes:
    """Return a JSON object with many fields."""
    return b"{" + list_of(f'"{name}":0', size)[1:-1] + b"}"


def text_of(characters: str, last: str = "") -> Callable[[int], bytes]:
    """Return a function that makes one long text."""
    return lambda size: f'"{characters * (size // len(characters.encode()))}{last}"'.encode()


def nested(size: int) -> bytes:
    depth = 200
    chain = '{"a":' * depth + "0" + "}" * depth
    return list_of(chain, size)


VALUES: dict[str, Callable[[int], bytes]] = {
    "empty lists": lambda size: list_of("[]", size),
    "empty objects": lambda size: list_of("{}", size),
    "lists of one": lambda size: list_of("[0]", size),
    "objects of one field": lambda size: list_of('{"a":0}', size),
    "objects of fields of their own": lambda size: list_of('{"#":#.5}'.replace("#.5", "1#.5"), size),
    "objects of six": lambda size: list_of("{" + ",".join(f'"{name}#":[]' for name in "abcdef") + "}", size),
    "MinKeys": lambda size: list_of('{"$minKey":1}', size),
    "many fields": lambda size: object_of("#", size),
    "many fields of text": lambda size: b"{" + list_of('"#":"v#"', size)[1:-1] + b"}",
    "one field, twice and more": lambda size: object_of("a", size),
    "numbers": lambda size: list_of("12345", size),
    "fractions": lambda size: list_of("1e15", size),
    "large integers": lambda size: list_of("9223372036854775807", size),
    "huge integers": lambda size: list_of("9" * 300, size),
    "short texts": lambda size: list_of('"ab"', size),
    "short wide texts": lambda size: list_of('"é漢"', size),
    "emoji": lambda size: list_of('"😀"', size),
    "ASCII": text_of("x"),
    "ASCII and one emoji": text_of("x", "😀"),
    "one emoji and ASCII, escaped": text_of("x", r"\ud83d\ude00"),
    "many texts of ASCII and one emoji": lambda size: list_of('"' + "x" * 1_000 + '😀"', size),
    "escapes": text_of(r"\u0001\"\\"),
    "escaped emoji": text_of(r"\ud83d\ude00"),
    "nesting": nested,
    "JSON in a text": text_of(r"[{\"a\":[]},"),
}
"""JSON of a value of about so many bytes."""


DOCUMENT = inserted("a", value=HOLE, one={"more": 0}).full_document
BASE = replace(inserted("a"), operation_type="update", full_document=None)

KINDS: dict[str, Change] = {
    "insert": inserted("a", value=HOLE),
    "replace": replace(BASE, operation_type="replace", full_document=DOCUMENT, full_document_before_change=DOCUMENT),
    "update of another field": replace(
        BASE,
        full_document_before_change=DOCUMENT,
        update_description=UpdateDescription(updated_fields={"status": "cancelled", "one.more": 1}),
    ),
    "update without images": replace(BASE, update_description=UpdateDescription(updated_fields={"value": HOLE})),
}
"""Changes with a hole where the value belongs."""


def change_with(kind: Change, of: bytes) -> bytes:
    """Return the JSON of the change with this value."""
    return encode_change(kind).replace(f'"{HOLE}"'.encode(), of)


def claimed(kind: Change, content: bytes) -> Change:
    """Return the change as it is sent while its whole JSON is in the bucket under the key 1."""
    claim = Claim(bucket="claims", key="1", bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    return light(replace(kind, claim=claim))
