"""Looks at a queue before it is needed."""

import logging
from typing import Any

from lambda_forwarder.errors import Misconfigured, Rejected, translated, unusable
from tailrace.aws.queues import Attributes, losses, too_small

log = logging.getLogger(__name__)


def looked_at(client: Any, queue_url: str, setting: str, rights: str) -> Attributes:
    """
    The attributes of the queue that ``setting`` names. In what ways it loses messages is a warning in the log.

    Raises:
        Misconfigured: it is not there, or we may not ask.
        Unavailable: not now.
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
        Misconfigured: a change that the tailer could send would not fit, and its lane would wait for ever.
    """
    if problem := too_small(attributes):
        raise Misconfigured(f"{setting}: {queue_url} {problem}")
