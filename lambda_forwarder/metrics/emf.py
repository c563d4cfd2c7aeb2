"""The figures for CloudWatch: a line for each stream on standard output, in the Embedded Metric Format."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from lambda_forwarder.metrics.metrics import Metrics
from tailrace.metrics import FORWARDER, STREAM

log = logging.getLogger(__name__)


@contextmanager
def shown(metrics: Metrics) -> Iterator[None]:
    """
    Write what was counted while the block ran, however it ended. Without a namespace it is forgotten.

    No metric ever fails the block: what it published must not come again because nobody could say so.
    """
    try:
        yield
    finally:
        try:
            for stream, values in metrics.take().items():
                if metrics.namespace:
                    sys.stdout.write(f"{line(metrics.namespace, stream, values)}\n")
            sys.stdout.flush()
        except Exception:
            log.exception("the metrics could not be written", extra={"action": "figures_not_shown"})


def line(namespace: str, stream: str, values: Mapping[str, Sequence[float]]) -> str:
    """One line, of at most 100 values of each figure."""
    # A service would be one dimension more, and no dashboard would find the metric.
    emf = AmazonCloudWatchEMFProvider(namespace=namespace, service="")
    emf.add_metadata("action", "figures")
    emf.add_dimension(STREAM, stream)
    for name, several in values.items():
        for value in several:
            emf.add_metric(name, FORWARDER[name].unit, value)
    return json.dumps(emf.serialize_metric_set())
