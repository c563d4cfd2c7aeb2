"""
The stored form of a record: the same in every store, readable by older and newer releases, and what a command prints as JSON.

A stored checkpoint has ``token`` and ``cluster_time`` in place of a position. With a token, ``cluster_time`` is the token's
time, ``0.0`` where it is unknown. Without a token, it is the time at which the stream starts.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, convert, to_builtins
from msgspec.structs import replace

from tailer.model import After, At, Checkpoint, Record

_UNKNOWN = "0.0"


class StoredCheckpoint(Struct, frozen=True, kw_only=True):
    generation: int = 1
    sequence: int = 0
    token: str | None = None
    cluster_time: str
    unconfirmed: bool = False


class _WithCheckpoint(Struct):
    checkpoint: StoredCheckpoint | None = None


def stored_checkpoint(checkpoint: Checkpoint) -> StoredCheckpoint:
    position = checkpoint.position
    return StoredCheckpoint(
        generation=checkpoint.generation,
        sequence=checkpoint.sequence,
        token=position.token if isinstance(position, After) else None,
        cluster_time=position.time or _UNKNOWN,
        unconfirmed=checkpoint.unconfirmed,
    )


def stored_record(record: Record) -> dict[str, Any]:
    """Return the stored form of a record, as JSON values."""
    checkpoint = record.checkpoint and to_builtins(stored_checkpoint(record.checkpoint))
    return {**to_builtins(replace(record, checkpoint=None)), "checkpoint": checkpoint}


def record_from(stored: Mapping[str, Any]) -> Record:
    """Return the record of a stored form, or raise ``msgspec.ValidationError``. Fields of a newer release are ignored."""
    record = convert({**stored, "checkpoint": None}, Record)
    found = convert(stored, _WithCheckpoint).checkpoint  # an error names the field with its path
    if found is None:
        return record
    if found.token is None:
        position: At | After = At(found.cluster_time)
    else:
        position = After(found.token, None if found.cluster_time == _UNKNOWN else found.cluster_time)
    checkpoint = Checkpoint(
        generation=found.generation, sequence=found.sequence, position=position, unconfirmed=found.unconfirmed
    )
    return replace(record, checkpoint=checkpoint)
