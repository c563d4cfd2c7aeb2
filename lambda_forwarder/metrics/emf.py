"""Writes the metrics for CloudWatch: a line for each stream on standard output."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from lambda_forwarder.metrics.metrics import Metrics
from tailrace.aws.emf import emf_line
from tailrace.metrics import FORWARDER

log = logging.getLogger(__name__)


@contextmanager
def shown(metrics: Metrics) -> Iterator[None]:
    """
    Write what was counted while the block ran, however it ended. Without a namespace the metrics are discarded.

    A failure to write them never fails the block: Lambda would repeat what the block published.
    """
    try:
        yield
    finally:
        try:
            for stream, values in metrics.take().items():
                if metrics.namespace:
                    sys.stdout.write(f"{emf_line(metrics.namespace, FORWARDER, values, stream=stream)}\n")
            sys.stdout.flush()
        except Exception:
            log.exception("the metrics could not be written", extra={"action": "figures_not_shown"})
