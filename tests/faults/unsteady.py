"""
The forwarder's handler with faults: it fails before, during and after its work, and takes too long. It is packed into the
function's zip beside the forwarder. ``FAULTS_LOG`` is a file on this machine with one line for each fault. ``FAULTS_KINDS`` are
the possible faults.
"""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.handlers.sqs import handler as steady
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher

KINDS = ("before", "refused", "published", "after", "reported", "late")
TOO_LONG = 30.0  # seconds, longer than the function's timeout

_publish = EventBridgePublisher.publish


class Unsteady(Exception):
    """The invocation fails on purpose."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Call the forwarder's handler, or fail."""
    kind = _kind(Path(os.environ["FAULTS_LOG"])) if event["Records"] else ""
    if kind == "before":
        raise Unsteady("before anything was done")
    if kind == "refused":
        return _with_publish(_refused, event, context)
    if kind == "published":
        return _with_publish(_pulled, event, context)
    response: dict[str, Any] = steady(event, context)
    if kind == "after":
        raise Unsteady("everything was done, and nobody is told")
    if kind == "reported":
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
    if kind == "late":
        time.sleep(TOO_LONG)
    return response


def _kind(log: Path) -> str:
    """Return the next fault of the seed, or an empty text; the log holds the faults so far."""
    so_far = len(log.read_text().splitlines()) if log.exists() else 0
    if so_far >= int(os.environ["FAULTS_COUNT"]) or random.random() > float(os.environ["FAULTS_RATE"]):
        return ""
    kind = random.Random(f"{os.environ['FAULTS_SEED']} {so_far}").choice(os.environ["FAULTS_KINDS"].split())
    with log.open("a") as lines:
        lines.write(f"{kind}\n")
    return kind


def _with_publish(publish: Callable[..., Any], event: dict[str, Any], context: Any) -> dict[str, Any]:
    with patch.object(EventBridgePublisher, "publish", publish):
        response: dict[str, Any] = steady(event, context)
    return response


def _refused(*_: Any) -> Any:
    """The bus accepts nothing: every event must be published again."""
    raise Unavailable("PutEvents: ThrottlingException")


def _pulled(*arguments: Any) -> Any:
    """The bus accepts the events of the first message, but neither the watermark nor the queue is updated."""
    _publish(*arguments)
    raise Unsteady("published, and not remembered")
