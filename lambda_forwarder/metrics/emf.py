"""Writes the metrics to standard output in CloudWatch's Embedded Metric Format, one line for each stream."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from lambda_forwarder.metrics.metrics import Metrics
from tailrace.aws.emf import emf_line
from tailrace.metrics import FORWARDER

log = logging.getLogger(__name__)


@contextmanager
def shown(metrics: Metrics) -> Iterator[None]:
    """
    Write the metrics of the block when it ends, also after an error. Without a namespace they are dropped.

    A failure to write is logged: it must not fail an invocation that published events.
    """
    try:
        yield
    finally:
        try:
            for stream, values in metrics.take().items():
                if metrics.namespace:
                    emf = AmazonCloudWatchEMFProvider(namespace=metrics.namespace, service="")
                    sys.stdout.write(f"{emf_line(emf, FORWARDER, values, stream=stream)}\n")
            sys.stdout.flush()
        except Exception:
            log.exception("the metrics could not be written", extra={"action": "figures_not_shown"})
