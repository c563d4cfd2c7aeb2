"""The Lambda function that a schedule calls, to publish parked changes and dead letters again."""

from collections.abc import Callable
from typing import Any

import msgspec

from lambda_forwarder import app
from lambda_forwarder.handlers.invocation import time_left
from lambda_forwarder.metrics.emf import shown
from lambda_forwarder.redriving.redriver import Redriver


def handler(
    event: dict[str, Any],  # noqa: ARG001 - Lambda's signature
    context: Any,
    build: Callable[[], Redriver] = app.redriver,
) -> dict[str, Any]:
    """
    Redrive until nothing is left or the time is up. Return the report. The content of the event does not matter. If the
    settings are wrong, nothing is touched.
    """
    redriver = build()
    with shown(redriver.forwarder.metrics):
        report: dict[str, Any] = msgspec.to_builtins(redriver.redrive(time_left(context)))
    return report
