"""The attributes of the three queues."""

from typing import Any

import pytest

from lambda_forwarder.redelivery import returned_messages
from tailrace_cdk.config import Environment, Forwarder
from tailrace_cdk.messaging.queues import RECEIVES
from tests.tailrace_cdk.template import of_type, only, stack

MESSAGING: dict[str, Any] = {"database": None, "streams": []}


def queue(part: str, **tables: Any) -> Any:
    return only(stack(**MESSAGING, **tables), "AWS::SQS::Queue", f"Queues{part}")


def test_every_queue_is_high_throughput_fifo() -> None:
    """For messages of the tailer's maximum size, with SQS's maximum retention."""
    queues = of_type(stack(**MESSAGING), "AWS::SQS::Queue")
    assert len(queues) == 3
    for one in queues.values():
        assert one["FifoQueue"] is True
        assert (one["DeduplicationScope"], one["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")
        assert one.get("ContentBasedDeduplication", False) is False
        assert one["MaximumMessageSize"] == 1_048_576
        assert one["MessageRetentionPeriod"] == 14 * 86_400


@pytest.mark.parametrize(("timeout", "hidden"), [(5, 600), (30, 600), (100, 600), (101, 606), (900, 5_400)])
def test_visibility_timeout_is_six_times_the_functions_timeout(timeout: int, hidden: int) -> None:
    """And at least ten minutes, so a function that never responds takes a week to use up a message's receives."""
    assert queue("Changes", forwarder={"timeout": timeout})["VisibilityTimeout"] == hidden


def test_message_that_keeps_failing_becomes_a_dead_letter() -> None:
    """Dead letters and parked items stay in their queues."""
    policy = queue("Changes")["RedrivePolicy"]
    assert policy["maxReceiveCount"] == RECEIVES == returned_messages.RECEIVES
    assert "DeadLetters" in policy["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert "RedrivePolicy" not in queue("DeadLetters")
    assert "RedrivePolicy" not in queue("Parking")


def test_queues_are_encrypted_with_the_requested_key() -> None:
    """SQS's own, or the stack's."""
    assert queue("Changes")["SqsManagedSseEnabled"] is True
    assert "Key" in queue("Changes", customer_key=True)["KmsMasterKeyId"]["Fn::GetAtt"][0]


def test_longest_function_timeout_is_within_sqs_limits() -> None:
    """A message can be hidden for at most twelve hours."""
    longest = max(bound.le for bound in Forwarder.model_fields["timeout"].metadata if hasattr(bound, "le"))
    assert Environment(name="x", forwarder=Forwarder(timeout=longest)).forwarder.timeout * 6 <= 43_200
