"""Changes whose JSON costs its reader as much memory as its kind of value can."""

import hashlib
from collections.abc import Callable

from msgspec.structs import replace

from lambda_forwarder.model.parked import light
from tailrace.change import Change
from tailrace.wire.change import Claim, UpdateDescription
from tailrace.wire.message import encode_change
from tests.lambda_forwarder.values import inserted

HOLE = "@"


def value(part: str, size: int) -> bytes:
    """A list of this, of about so many bytes. ``#`` is a number of eight digits, another each time."""
    if "#" not in part:
        return f"[{','.join([part] * (size // (len(part.encode()) + 1) + 1))}]".encode()
    count = size // (len(part.replace("#", "12345678").encode()) + 1) + 1
    return f"[{','.join(part.replace('#', f'{number:08}') for number in range(count))}]".encode()


def names(name: str, size: int) -> bytes:
    """An object of many fields."""
    return b"{" + value(f'"{name}":0', size)[1:-1] + b"}"


def text(characters: str, last: str = "") -> Callable[[int], bytes]:
    """One long text."""
    return lambda size: f'"{characters * (size // len(characters.encode()))}{last}"'.encode()


def nested(size: int) -> bytes:
    depth = 200
    chain = '{"a":' * depth + "0" + "}" * depth
    return value(chain, size)


VALUES: dict[str, Callable[[int], bytes]] = {
    "empty lists": lambda size: value("[]", size),
    "empty objects": lambda size: value("{}", size),
    "lists of one": lambda size: value("[0]", size),
    "objects of one field": lambda size: value('{"a":0}', size),
    "objects of fields of their own": lambda size: value('{"#":#.5}'.replace("#.5", "1#.5"), size),
    "objects of six": lambda size: value("{" + ",".join(f'"{name}#":[]' for name in "abcdef") + "}", size),
    "MinKeys": lambda size: value('{"$minKey":1}', size),
    "many fields": lambda size: names("#", size),
    "many fields of text": lambda size: b"{" + value('"#":"v#"', size)[1:-1] + b"}",
    "one field, twice and more": lambda size: names("a", size),
    "numbers": lambda size: value("12345", size),
    "fractions": lambda size: value("1e15", size),
    "large integers": lambda size: value("9223372036854775807", size),
    "huge integers": lambda size: value("9" * 300, size),
    "short texts": lambda size: value('"ab"', size),
    "short wide texts": lambda size: value('"é漢"', size),
    "emoji": lambda size: value('"😀"', size),
    "ASCII": text("x"),
    "ASCII and one emoji": text("x", "😀"),
    "one emoji and ASCII, escaped": text("x", r"\ud83d\ude00"),
    "many texts of ASCII and one emoji": lambda size: value('"' + "x" * 1_000 + '😀"', size),
    "escapes": text(r"\u0001\"\\"),
    "escaped emoji": text(r"\ud83d\ude00"),
    "nesting": nested,
    "JSON in a text": text(r"[{\"a\":[]},"),
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


def filled(kind: Change, of: bytes) -> bytes:
    """The JSON of the change with this value."""
    return encode_change(kind).replace(f'"{HOLE}"'.encode(), of)


def claimed(kind: Change, content: bytes) -> Change:
    """The change as it travels while its whole lies in the bucket under the key 1."""
    claim = Claim(bucket="claims", key="1", bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    return light(replace(kind, claim=claim))
