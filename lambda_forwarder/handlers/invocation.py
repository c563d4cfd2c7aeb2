"""The time that Lambda gives an invocation."""

from typing import Any

from lambda_forwarder.aws.clients import until
from lambda_forwarder.ports import TimeLeft

MARGIN = 12.0  # seconds before Lambda's timeout in which no new work starts; the slowest call with its retries takes as long


def time_left(context: Any) -> TimeLeft:
    """
    Return a function for the time until Lambda's timeout, less ``MARGIN``, or less half of a short timeout. From now on no call
    to AWS waits beyond the timeout.
    """

    def seconds() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    until(seconds)
    margin = min(MARGIN, seconds() / 2)
    return lambda: seconds() - margin
