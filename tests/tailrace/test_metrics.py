"""The figures: one definition each, under names that stay."""

import pytest

from tailrace.metrics import FORWARDER, TAILER, Kind, Metric, Unit

RELEASED = {  # append only: a dashboard or an alarm of somebody stands on each of them
    "ChangesRead": "tailrace_changes_read",
    "ChangesSent": "tailrace_changes_sent",
    "Messages": "tailrace_messages",
    "MessageBytes": "tailrace_message_bytes",
    "Calls": "tailrace_calls",
    "Retries": "tailrace_retries",
    "Reconnects": "tailrace_reconnects",
    "Claims": "tailrace_claims",
    "Gaps": "tailrace_gaps",
    "Lag": "tailrace_lag_seconds",
    "Headroom": "tailrace_headroom_seconds",
    "History": "tailrace_history_seconds",
    "CheckpointAge": "tailrace_checkpoint_age_seconds",
    "LeaseOwner": "tailrace_lease_owner",
    "Stopped": "tailrace_stopped",
    "CommitToQueue": "tailrace_commit_to_queue_seconds",
    "StandingBy": "tailrace_standing_by",
    "EventsPublished": "tailrace_events_published",
    "MessagesFailed": "tailrace_messages_failed",
    "ChangesParked": "tailrace_changes_parked",
    "DuplicatesDropped": "tailrace_duplicates_dropped",
    "Unmapped": "tailrace_unmapped",
    "CommitToBus": "tailrace_commit_to_bus_seconds",
}


def test_a_released_name_stays() -> None:
    """In CloudWatch and in Prometheus."""
    metrics = TAILER | FORWARDER
    assert RELEASED.items() <= {name: metric.prometheus for name, metric in metrics.items()}.items()


def test_no_metric_of_one_side_hides_one_of_the_other() -> None:
    """They share a namespace in CloudWatch."""
    assert not TAILER.keys() & FORWARDER.keys()


@pytest.mark.parametrize("metric", [*TAILER.values(), *FORWARDER.values()], ids=lambda metric: metric.name)
def test_a_metric_says_what_it_means_in_a_unit_that_fits(metric: Metric) -> None:
    """A latency is in milliseconds, and a count is a count."""
    assert metric.meaning
    assert (metric.kind is Kind.LATENCY) == (metric.unit is Unit.MILLISECONDS)
    assert metric.kind is not Kind.COUNTER or metric.unit in (Unit.COUNT, Unit.BYTES)
