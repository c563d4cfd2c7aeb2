"""The heart of the forwarder: read a message, name what happened, publish it. Only then may the queue forget it."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from contract.message import UnreadableMessage, unpack
from lambda_forwarder.errors import ForwarderError
from lambda_forwarder.event import Mappers
from lambda_forwarder.naming import named
from lambda_forwarder.parked import refused, unreadable
from lambda_forwarder.ports import Parking, Publisher, TimeLeft

Record = dict[str, Any]
"""One record of the Lambda's SQS event."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Forwarder:
    """Forwards batches of queue messages and keeps nothing between them. ``source`` replaces the one of every event."""

    mappers: Mappers
    publisher: Publisher
    parking: Parking
    source: str | None = None

    def forward(self, records: Iterable[Record], time_left: TimeLeft) -> list[str]:
        """
        Return the ids of the messages that the queue must deliver again: those that failed, and those behind them.

        A message that fails holds back the rest of its group and nobody else. Once the time is up, what was not begun
        is returned untouched.
        """
        failed: list[str] = []
        blocked: set[str] = set()
        done = Counter(records=0, changes=0, events=0, parked=0)
        for record in records:
            group = record["attributes"].get("MessageGroupId", record["messageId"])
            if group not in blocked and time_left() > 0:
                try:
                    done.update(self._forward(record, time_left))
                    continue
                except Exception as error:
                    _log_failure(record, error)
            blocked.add(group)
            failed.append(record["messageId"])
        log.info("forwarded", extra={"action": "batch_forwarded", **done, "failed": len(failed)})
        return failed

    def _forward(self, record: Record, time_left: TimeLeft) -> dict[str, int]:
        """Return only when every event of the message was accepted, or its change parked with the reason."""
        try:
            message = unpack(record["body"])
        except UnreadableMessage as error:
            self.parking.park([unreadable(record, error)])
            return {"records": 1, "parked": 1}
        entries, parked = named(message, self.mappers, self.source)
        never = self.publisher.publish(entries, time_left)
        parked += [refused(no.entry, message, no.reason) for no in never]
        if parked:
            self.parking.park(parked)
        changes, events = len(message.changes), len(entries) - len(never)
        return {"records": 1, "changes": changes, "events": events, "parked": len(parked)}


def _log_failure(record: Record, error: Exception) -> None:
    foreseen = isinstance(error, ForwarderError)
    extra = {"action": "message_failed", "message_id": record["messageId"], "error": type(error).__name__}
    log.warning("a message failed: %s", error, extra=extra, exc_info=not foreseen)
