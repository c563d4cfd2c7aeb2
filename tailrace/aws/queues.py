"""Requirements for the queues that keep unpublished changes. The forwarder, redrive and the doctor check the same ones."""

from collections.abc import Iterator, Mapping

from tailrace.wire.message import MESSAGE_LIMIT

LONGEST = 1_209_600  # seconds, SQS, 14 days
DAY = 86_400  # seconds

Attributes = Mapping[str, str]
"""The response of GetQueueAttributes. A missing attribute counts as correct."""


def too_small(attributes: Attributes) -> str:
    """The problem if the queue does not accept the largest messages of the tailer; else an empty string."""
    limit = int(attributes.get("MaximumMessageSize", MESSAGE_LIMIT))
    if limit >= MESSAGE_LIMIT:
        return ""
    return f"accepts messages of up to {limit} bytes only: set its MaximumMessageSize to {MESSAGE_LIMIT}"


def losses(attributes: Attributes) -> Iterator[str]:
    """Yield each way in which the queue can lose messages, with the remedy."""
    if (kept := int(attributes.get("MessageRetentionPeriod", LONGEST))) < LONGEST:
        yield f"deletes a message after {kept / DAY:.3g} days: set its MessageRetentionPeriod to {LONGEST}"
    if attributes.get("RedrivePolicy"):
        yield "moves messages that are received often to another queue, and redrive receives all: remove its RedrivePolicy"
