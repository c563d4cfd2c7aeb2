"""A BSON document whose fields are read, replaced and removed one by one. All others keep their bytes."""

from typing import Any

import bson

from tailer.mongodb.decoding.elements import elements

_DOCUMENT = b"\x03"


class Fields:
    """The fields of one document."""

    def __init__(self, raw: bytes) -> None:
        found = list(elements(raw, 0))
        ends = [*(name - 1 for _, name, _ in found), len(raw) - 1][1:]
        self._elements = {
            raw[name : value - 1].decode(errors="surrogateescape"): raw[name - 1 : end]
            for (_, name, value), end in zip(found, ends, strict=True)
        }

    def __contains__(self, name: str) -> bool:
        return name in self._elements

    @property
    def names(self) -> list[str]:
        return list(self._elements)

    def get(self, name: str) -> Any:
        """Return the value of a field; None if there is no such field."""
        return bson.decode(_document(self._elements[name])).get(name) if name in self else None

    def raw(self, name: str) -> bytes:
        """Return the bytes of a field's value."""
        return self._elements[name][len(name.encode(errors="surrogateescape")) + 2 :]

    def kind(self, name: str) -> bytes:
        """Return the type of a field's value."""
        return self._elements[name][:1]

    def set(self, name: str, value: Any) -> None:
        self._elements[name] = bson.encode({name: value})[4:-1]

    def set_raw(self, name: str, kind: bytes, value: bytes) -> None:
        """Set a field to the bytes of a value of this type."""
        self._elements[name] = kind + name.encode() + b"\0" + value

    def remove(self, *names: str) -> None:
        for name in names:
            self._elements.pop(name, None)

    def encode(self) -> bytes:
        return _document(b"".join(self._elements.values()))


def documents(raw: bytes) -> list[Fields]:
    """Return the documents of an array."""
    return [Fields(raw[value : value + int.from_bytes(raw[value : value + 4], "little")]) for _, _, value in elements(raw, 0)]


def array(items: list[Fields]) -> bytes:
    """Return an array of these documents."""
    return _document(b"".join(_DOCUMENT + str(number).encode() + b"\0" + item.encode() for number, item in enumerate(items)))


def _document(body: bytes) -> bytes:
    return (len(body) + 5).to_bytes(4, "little") + body + b"\0"
