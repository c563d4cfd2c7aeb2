"""Works through the messages of a payload, and reports to Lambda which of them failed."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from tailrace.consuming.event import D, Event
from tailrace.consuming.events import Events
from tailrace.consuming.messages import messages

log = logging.getLogger(__name__)


def handle(payload: Mapping[str, Any], events: Events[D], function: Callable[[Event[D]], object]) -> dict[str, Any]:
    """
    Call the function with each event. Return the response of a Lambda function behind a queue: the messages that failed, and
    in a FIFO queue also the later messages of their groups, which keep their order. The event source mapping must have
    ``ReportBatchItemFailures``.

    A message that is not an event fails too, and reaches the dead-letter queue of its queue in the end. If the payload is one
    event without a queue, its error is raised: Lambda then invokes the function again.
    """
    failed: list[str] = []
    held: set[str] = set()
    for message in messages(payload):
        if message.group and message.group in held:
            failed.append(message.id)
            continue
        try:
            function(events.read(message))
        except Exception:
            if not message.id:
                raise
            log.exception("a message failed and returns to its queue", extra={"action": "message_failed", "id": message.id})
            failed.append(message.id)
            held.add(message.group)
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}
