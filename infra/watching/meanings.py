"""What each alarm means, by the page of ``docs/runbook.md`` that it is named after."""

from typing import Final

RUNBOOK: Final = "docs/runbook.md"

PAGES: Final = {
    "lag": "A stream is further behind the database than it may be",
    "headroom": "A stream will lose history soon: little of what the server keeps is left before its checkpoint",
    "no-owner": "Nobody tails a stream",
    "stream-stopped": "A stream was given up for good and waits for a person",
    "stubs": "Changes could not be delivered as they are and went out as stubs: their events are missing on the bus",
    "no-standby": "No task stands by: the next one that is lost leaves its stream without an owner",
    "queue-age": "Changes wait in the queue longer than they may: the forwarder does not keep up",
    "dead-letters": "Messages failed too often and were set aside: their events are missing on the bus",
    "parking": "Changes cannot be published and were set aside: their events are missing on the bus",
    "forwarder-errors": "A function of the forwarder fails as a whole, again and again",
    "forwarder-throttles": "Lambda refuses to run a function of the forwarder",
    "table-age": "Records of a DynamoDB stream wait longer than they may",
    "records-kept": "Records of a DynamoDB stream were given up and kept: their events are missing on the bus",
    "records-lost": "Records of a DynamoDB stream were given up and could not be kept: their events never come",
    "bus-key": "The bus could not use its key: events were set aside and reached nobody",
    "undelivered": "A consumer's bus refused events, or took none for a day",
    "events-lost": "An event for a consumer could not be delivered nor kept: for them it is lost",
}


def description(page: str) -> str:
    """
    What a person reads first.

    Raises:
        KeyError: there is no such page.
    """
    return f"{PAGES[page]}. What to do: {RUNBOOK}#{page}"
