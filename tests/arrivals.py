"""Events as they arrive at a consumer, valid by default."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from tailrace.dev.consumer import Received
from tailrace.metadata import Metadata

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def metadata(identifier: str, document: str, sequence: int = 1, generation: int = 1) -> Metadata:
    return Metadata(
        id=identifier,
        version="1",
        stream="payments",
        generation=generation,
        sequence=sequence,
        document=document,
        operation="update",
        occurred_at=NOON,
    )


def arrival(document: str, name: str, sequence: int, identifier: str = "", generation: int = 1) -> Received:
    """An event with an id of its own, unless the test says which."""
    about = metadata(identifier or f"{document}-{name}", document, sequence, generation)
    return Received(name=name, source="app.payments", metadata=about, data={}, at=NOON)


def detail(identifier: str, document: str, sequence: int, data: dict[str, Any]) -> str:
    """The detail of an event as JSON."""
    return msgspec.json.encode({"metadata": metadata(identifier, document, sequence), "data": data}).decode()
