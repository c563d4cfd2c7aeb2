"""The stub of a change that cannot be decoded: the fields of its event that can be read, whatever its bytes are."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import bson

from tailer.mongodb.decoding.document_keys import key_text
from tailer.mongodb.decoding.elements import elements
from tailer.mongodb.decoding.tolerant import value
from tailer.mongodb.decoding.values import FirstKept
from tailer.mongodb.events.positions import token_text
from tailer.poison import KEY_LIMIT, poison, short_key
from tailer.resume_tokens import change_id, token_time
from tailrace.wire import identity
from tailrace.wire.change import UNKNOWN_TIME, Change, Namespace

_BSON_PER_JSON = 8  # bytes of BSON for each byte of JSON, at most: a small int64

T = TypeVar("T")


def stub(raw: bytes, sequence: int, reason: str) -> Change:
    """
    The numbered stub of an event in BSON, the same at every try.

    A field that cannot be read is empty. An id or a document's name that cannot be read is a digest.
    """
    event = _Event(raw)
    ns = event.namespace()
    name = event.key_name()
    return Change(
        id=event.id(),
        sequence=sequence,
        operation_type=str(event.value("operationType", "")),
        ns=ns,
        cluster_time=event.time(),
        document_key=event.short_key(),
        document_name=identity.name(ns.db, ns.coll, name) if name else "",
        poison=poison(reason),
    )


class _Event:
    """The top-level fields of an event, each of which may be unreadable. The first field of a name counts."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        found: list[tuple[int, int, int]] = _attempt(lambda: list(elements(raw, 0)), [])
        self._fields = {raw[name : start - 1]: (kind, start) for kind, name, start in reversed(found)}

    def value(self, field: str, default: Any) -> Any:
        return _attempt(lambda: self._value(field), default)

    def id(self) -> str:
        return _attempt(lambda: change_id(token_text(bson.decode(self._bytes("_id")))), f"unreadable-{_digest(self._raw)}")

    def time(self) -> str:
        known = token_time(self.id()) or UNKNOWN_TIME
        return _attempt(lambda: "{t}.{i}".format_map(self._value("clusterTime")["$timestamp"]), known)

    def namespace(self) -> Namespace:
        ns = self.value("ns", {})
        return _attempt(lambda: Namespace(db=str(ns.get("db", "")), coll=str(ns.get("coll", ""))), Namespace(db=""))

    def key_name(self) -> str:
        """The text of the document key, or a digest of a key that cannot be read. Empty if the event has no key."""
        if b"documentKey" not in self._fields:
            return ""
        key = _attempt(lambda: self._bytes("documentKey"), self._raw)
        return _attempt(lambda: key_text(key), f"unreadable-{_digest(key)}")

    def short_key(self) -> dict[str, Any]:
        """The document key as plain JSON. Empty if it is too long or cannot be read."""
        if len(_attempt(lambda: self._bytes("documentKey"), b"")) > KEY_LIMIT * _BSON_PER_JSON:
            return {}
        key = self.value("documentKey", {})
        return _attempt(lambda: short_key(key), {}) if isinstance(key, dict) else {}

    def _value(self, field: str) -> Any:
        kind, start = self._fields[field.encode()]
        return value(kind, self._raw, start, FirstKept)

    def _bytes(self, field: str) -> bytes:
        """An embedded document as BSON."""
        _, start = self._fields[field.encode()]
        return self._raw[start : start + int.from_bytes(self._raw[start : start + 4], "little")]


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _attempt(read: Callable[[], T], default: T) -> T:
    try:
        return read()
    except Exception:
        return default
