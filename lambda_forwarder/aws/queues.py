"""Checks a queue before it is needed."""

import logging
from typing import Any

from lambda_forwarder.errors import Misconfigured, Rejected, translated, unusable
from tailrace.aws.queues import Attributes, losses, too_small

log = logging.getLogger(__name__)


def looked_at(client: Any, queue_url: str, setting: str, rights: str) -> Attributes:
    """
    Return the attributes of the queue in ``setting``. Log a warning for each way in which it can lose messages.

    Raises:
        Misconfigured: the queue does not exist, or access is denied.
        Unavailable: try again later.
    """
    try:
        with translated("GetQueueAttributes"):
            response = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
    except (Misconfigured, Rejected) as error:
        raise unusable(setting, queue_url, error, f"a queue with this URL and {rights}") from error
    attributes: Attributes = response.get("Attributes", {})
    for loss in losses(attributes):
        log.warning("%s: %s %s", setting, queue_url, loss, extra={"action": "queue_loses"})
    return attributes


def must_be_large(attributes: Attributes, queue_url: str, setting: str) -> None:
    """
    Raises:
        Misconfigured: the queue is too small for the largest change, whose lane would then wait for ever.
    """
    if problem := too_small(attributes):
        raise Misconfigured(f"{setting}: {queue_url} {problem}")
