"""Each metric is defined once, and its name is stable."""

import pytest

from tailrace.metrics import FORWARDER, TAILER, Kind, Metric, Unit

RELEASED = {  # Append only: dashboards and alarms of users depend on each of them.
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


def test_released_metric_names_stay() -> None:
    """In CloudWatch and in Prometheus."""
    metrics = TAILER | FORWARDER
    assert RELEASED.items() <= {name: metric.prometheus for name, metric in metrics.items()}.items()


def test_tailer_and_forwarder_metrics_have_distinct_names() -> None:
    """They share a CloudWatch namespace."""
    assert not TAILER.keys() & FORWARDER.keys()


@pytest.mark.parametrize("metric", [*TAILER.values(), *FORWARDER.values()], ids=lambda metric: metric.name)
def test_metric_has_a_meaning_and_a_fitting_unit(metric: Metric) -> None:
    assert metric.meaning
    assert (metric.kind is Kind.LATENCY) == (metric.unit is Unit.MILLISECONDS)
    assert metric.kind is not Kind.COUNTER or metric.unit in (Unit.COUNT, Unit.BYTES)
