"""The Lambda function that a schedule calls, to publish parked changes and dead letters again."""

from typing import Any

import msgspec

from lambda_forwarder import app
from lambda_forwarder.handlers.invocation import time_left
from lambda_forwarder.metrics.emf import shown
from lambda_forwarder.redriving.redriver import Redriver


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """
    Redrive until nothing is left or the time is up. Return the report. The content of the event does not matter. If the
    settings are wrong, nothing is touched.
    """
    return respond(app.redriver(), context)


def respond(redriver: Redriver, context: Any) -> dict[str, Any]:
    """As ``handler``, with this redriver."""
    with shown(redriver.forwarder.metrics):
        report: dict[str, Any] = msgspec.to_builtins(redriver.redrive(time_left(context)))
    return report
