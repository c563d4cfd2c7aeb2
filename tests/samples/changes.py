"""Changes and batches."""

from datetime import datetime
from typing import Any

from tailer.model import After, At, Checkpoint
from tailrace.change import Change
from tailrace.wire.change import Namespace

ORIGIN = Checkpoint(position=At("1795332226.1"))


def a_checkpoint(reached: datetime, **fields: Any) -> Checkpoint:
    """Build a position up to this second, with a MongoDB resume token."""
    seconds = int(reached.timestamp())
    return Checkpoint(**({"position": After(f"82{seconds:08X}00000001")} | fields))


def a_change(number: int = 1, **fields: Any) -> Change:
    """Build an insert of a payment with its own id."""
    key = f"{number:024x}"
    given: dict[str, Any] = {
        "id": f"82{number:08X}",
        "sequence": number,
        "operation_type": "insert",
        "ns": Namespace(db="payments", coll="payments"),
        "cluster_time": f"1795332226.{number}",
        "document_key": {"_id": key},
        "full_document": {"_id": key, "status": "created"},
    }
    return Change(**(given | fields))


def changes_of(document: str, count: int, start: int = 1) -> list[Change]:
    """Build this many changes of one document, in order."""
    return [a_change(number, document_key={"_id": document}) for number in range(start, start + count)]
