"""Marks late events in their metadata, so that consumers recognize them."""

from collections.abc import Container, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Published, Publisher, TimeLeft


class _Detail(Struct, frozen=True):
    metadata: dict[str, Any]
    data: Raw


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Detail).decode


class LatePublisher:
    """Publishes through another publisher. Adds ``late: true`` to events of these changes; ``marked`` counts the events."""

    def __init__(self, publisher: Publisher, late_changes: Container[str]) -> None:
        self.marked = 0
        self._publisher = publisher
        self._late_changes = late_changes

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        published = self._publisher.publish([self._marked(entry) for entry in entries], time_left)
        refused = {refusal.entry.id for refusal in published.refused}
        self.marked += sum(entry.change.id in self._late_changes and entry.id not in refused for entry in entries)
        return published

    def _marked(self, entry: Entry) -> Entry:
        if entry.change.id not in self._late_changes:
            return entry
        detail = _decode(entry.detail)
        return replace(entry, detail=_encode(_Detail({**detail.metadata, "late": True}, detail.data)))
