"""
The forwarder on bad days, as the handler of its function: it fails before, in the middle and after, and takes too long.

Packed into the function's zip beside the forwarder itself. ``FAULTS_LOG`` is a file on this machine: one line for each fault.
"""

import os
import random
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from lambda_forwarder.handler import handler as steady
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher

KINDS = ("before", "published", "after", "reported", "late")
TOO_LONG = 30.0  # seconds, more than any function here may take


class Unsteady(Exception):
    """Somebody pulled the plug."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The forwarder's, on a good day."""
    kind = _kind(Path(os.environ["FAULTS_LOG"])) if event["Records"] else ""
    if kind == "before":
        raise Unsteady("before anything was done")
    if kind == "published":
        return _fail_once_published(event, context)
    answer: dict[str, Any] = steady(event, context)
    if kind == "after":
        raise Unsteady("everything was done, and nobody is told")
    if kind == "reported":
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
    if kind == "late":
        time.sleep(TOO_LONG)
    return answer


def _kind(log: Path) -> str:
    """The next fault of the seed, if there is one this time; what happened so far is in the log."""
    so_far = len(log.read_text().splitlines()) if log.exists() else 0
    if so_far >= int(os.environ["FAULTS_COUNT"]) or random.random() > float(os.environ["FAULTS_RATE"]):
        return ""
    kind = random.Random(f"{os.environ['FAULTS_SEED']} {so_far}").choice(KINDS)
    with log.open("a") as lines:
        lines.write(f"{kind}\n")
    return kind


def _fail_once_published(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The bus has the events of the first message; neither the watermark nor the queue hears of it."""
    publish = EventBridgePublisher.publish

    def pulled(*arguments: Any) -> Any:
        publish(*arguments)
        raise Unsteady("published, and not remembered")

    with patch.object(EventBridgePublisher, "publish", pulled):
        answer: dict[str, Any] = steady(event, context)
    return answer
