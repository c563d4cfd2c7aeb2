"""The description of each alarm, by the section of ``docs/operations/runbook.md`` that it is named after."""

from typing import Final

RUNBOOK: Final = "docs/operations/runbook.md"

PAGES: Final = {
    "lag": "A stream lags behind the database by more than lag_seconds",
    "headroom": "A stream will soon lose changes: its checkpoint is close to the end of the server's history",
    "no-owner": "No task tails a stream",
    "stream-stopped": "A task stopped a stream for good: a person has to decide how it goes on",
    "stubs": "Changes could not be delivered and went out as stubs: their events are missing on the bus",
    "no-standby": "No standby task: if a task fails, its stream has no owner until a new task starts",
    "queue-age": "Changes wait too long in the queue: the forwarder does not keep up",
    "dead-letters": "Messages failed too often and are in the dead-letter queue: their events are missing on the bus",
    "parking": "Changes could not be published and are in the parking queue: their events are missing on the bus",
    "forwarder-errors": "A function of the forwarder fails repeatedly",
    "forwarder-throttles": "Lambda refuses to run a function of the forwarder",
    "table-age": "Records of a DynamoDB stream wait too long",
    "records-kept": "Records of a DynamoDB stream failed and are in the claim bucket: their events are missing on the bus",
    "records-lost": "Records of a DynamoDB stream failed and could not be stored: their events are lost",
    "bus-key": "The bus could not use its KMS key: events are in a queue and reached no consumer",
    "undelivered": "A consumer's bus refused events or accepted none for a day: they are in a queue",
    "events-lost": "Events for a consumer could be neither delivered nor stored: they are lost for this consumer",
}


def description(page: str) -> str:
    """Return the description of an alarm, with its section: the first text that somebody on call reads."""
    return f"{PAGES[page]}. What to do: {RUNBOOK}#{page}"
