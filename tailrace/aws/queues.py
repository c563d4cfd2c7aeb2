"""What a queue must be like that keeps what could not be published: asked at the start, by redrive and by the doctor alike."""

from collections.abc import Iterator, Mapping

from tailrace.wire.message import MESSAGE_LIMIT

LONGEST = 1_209_600  # seconds, SQS, 14 days
DAY = 86_400  # seconds

Attributes = Mapping[str, str]
"""The attributes of a queue as GetQueueAttributes returns them. A missing attribute counts as correct."""


def too_small(attributes: Attributes) -> str:
    """What is wrong where the queue does not take every message that the tailer sends; nothing where it does."""
    limit = int(attributes.get("MaximumMessageSize", MESSAGE_LIMIT))
    if limit >= MESSAGE_LIMIT:
        return ""
    return f"takes messages of {limit} bytes only: set its MaximumMessageSize to {MESSAGE_LIMIT}"


def losses(attributes: Attributes) -> Iterator[str]:
    """In what ways the queue loses what is kept in it, each with the remedy."""
    if (kept := int(attributes.get("MessageRetentionPeriod", LONGEST))) < LONGEST:
        yield f"forgets a message after {kept / DAY:.3g} days: set its MessageRetentionPeriod to {LONGEST}"
    if attributes.get("RedrivePolicy"):
        yield "gives what was received several times to another queue, and redrive receives all of it: remove its RedrivePolicy"
