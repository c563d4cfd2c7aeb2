"""The three queues, as SQS will be told of them."""

from typing import Any

import pytest

from lambda_forwarder.redelivery import pause
from tailrace_cdk.config import Environment, Forwarder
from tailrace_cdk.messaging.queues import RECEIVES
from tests.tailrace_cdk.template import of_type, only, stack

MESSAGING: dict[str, Any] = {"database": None, "streams": []}


def queue(part: str, **tables: Any) -> Any:
    return only(stack(**MESSAGING, **tables), "AWS::SQS::Queue", f"Queues{part}")


def test_every_queue_keeps_order_by_group_and_lets_groups_pass_each_other() -> None:
    """FIFO in high-throughput mode, for messages as large as the tailer makes them, kept as long as SQS can."""
    queues = of_type(stack(**MESSAGING), "AWS::SQS::Queue")
    assert len(queues) == 3
    for one in queues.values():
        assert one["FifoQueue"] is True
        assert (one["DeduplicationScope"], one["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")
        assert one.get("ContentBasedDeduplication", False) is False
        assert one["MaximumMessageSize"] == 1_048_576
        assert one["MessageRetentionPeriod"] == 14 * 86_400


@pytest.mark.parametrize(("timeout", "hidden"), [(5, 600), (30, 600), (100, 600), (101, 606), (900, 5_400)])
def test_a_message_is_hidden_for_six_times_as_long_as_the_function_may_take(timeout: int, hidden: int) -> None:
    """And for ten minutes at least, so that a function that never answers needs a week to use up a message's receives."""
    assert queue("Changes", forwarder={"timeout": timeout})["VisibilityTimeout"] == hidden


def test_what_the_function_can_do_nothing_with_becomes_a_dead_letter() -> None:
    """And what becomes one stays: neither the dead letters nor what is parked goes anywhere by itself."""
    policy = queue("Changes")["RedrivePolicy"]
    assert policy["maxReceiveCount"] == RECEIVES == pause.RECEIVES
    assert "DeadLetters" in policy["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert "RedrivePolicy" not in queue("DeadLetters")
    assert "RedrivePolicy" not in queue("Parking")


def test_what_waits_is_encrypted_with_the_key_that_the_environment_asks_for() -> None:
    """SQS's own, or the stack's."""
    assert queue("Changes")["SqsManagedSseEnabled"] is True
    assert "Key" in queue("Changes", customer_key=True)["KmsMasterKeyId"]["Fn::GetAtt"][0]


def test_the_longest_timeout_is_within_what_a_queue_can_hide() -> None:
    """SQS hides a message for twelve hours at most; no timeout that the settings take asks for more."""
    longest = max(bound.le for bound in Forwarder.model_fields["timeout"].metadata if hasattr(bound, "le"))
    assert Environment(name="x", forwarder=Forwarder(timeout=longest)).forwarder.timeout * 6 <= 43_200
