"""A delivery, and how an SQS record becomes one."""

from typing import Any

import pytest

from lambda_forwarder.handlers import sqs
from lambda_forwarder.model.delivery import Delivery, by_group
from tests.lambda_forwarder.values import body, cancelled, delivery, inserted, message, record


def test_every_field_comes_from_the_record() -> None:
    """The message group orders the message. The receipt and the queue's ARN can hide it."""
    one = record("text", message_id="m1", group="payments.3", sent="d1", receives=4)
    assert sqs.delivery(one) == Delivery(
        id="m1",
        group="payments.3",
        body="text",
        receipt=one["receiptHandle"],
        queue_arn="arn:aws:sqs:eu-west-1:123456789012:changes.fifo",
        deduplication_id="d1",
        receives=4,
        first_received=1795330680.2,
    )


def test_message_without_a_group_is_its_own_group() -> None:
    """As in a standard queue. A recorded event may only have a body."""
    one = record("text", message_id="m1")
    del one["attributes"]["MessageGroupId"]
    assert sqs.delivery(one).group == "m1"
    assert sqs.delivery({"body": "text"}) == Delivery(id="", group="", body="text")


def test_groups_keep_the_order_of_their_messages() -> None:
    """The groups are in the order of their first messages."""
    deliveries = [Delivery(id=name, group=name[0]) for name in ("b1", "a1", "b2")]
    assert {name: [one.id for one in some] for name, some in by_group(deliveries).items()} == {"b": ["b1", "b2"], "a": ["a1"]}


def test_age_is_the_time_since_the_first_delivery() -> None:
    """Never below zero; unknown is zero."""
    one = Delivery(id="m1", group="g", first_received=100.0)
    assert [one.age(130.5), one.age(90.0), Delivery(id="m1", group="g").age(130.5)] == [30.5, 0.0, 0.0]


def test_tailers_own_message_has_a_lane() -> None:
    """It is in its lane's group, under the deduplication id of its changes."""
    assert delivery(body(inserted(), cancelled())).lane_of(message(inserted(), cancelled())) == "payments.17"


@pytest.mark.parametrize(
    "attributes",
    [
        {"MessageDeduplicationId": "4d0f1f2e-0d3c-4c0c-9f1a-2b1a8c1d4e5f"},
        {"MessageDeduplicationId": None},
        {"MessageGroupId": "payments.18"},
        {"MessageGroupId": None},
        {"DeadLetterQueueSourceArn": "arn:aws:sqs:eu-west-1:123456789012:changes.fifo"},
    ],
    ids=["redriven", "standard queue", "another group", "no group", "dead letter"],
)
def test_message_that_was_sent_again_has_no_lane(attributes: dict[str, Any]) -> None:
    """A redriven dead letter, a parked change, a queue without order: no watermark may drop those."""
    one = record(body(inserted()))
    one["attributes"] = {key: value for key, value in (one["attributes"] | attributes).items() if value is not None}
    assert sqs.delivery(one).lane_of(message(inserted())) is None
