"""The figures for CloudWatch: a line for each stream on standard output, in the Embedded Metric Format."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from contract.figures import FORWARDER, STREAM
from lambda_forwarder.figures import Figures


@contextmanager
def shown(figures: Figures) -> Iterator[None]:
    """Write what was counted while the block ran, however it ended. Without a namespace it is forgotten."""
    try:
        yield
    finally:
        for stream, values in figures.take().items():
            if figures.namespace:
                sys.stdout.write(f"{line(figures.namespace, stream, values)}\n")
        sys.stdout.flush()


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
