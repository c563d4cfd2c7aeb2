"""
The messaging part's template, deployed to the emulator's CloudFormation, and a payment sent through the deployed resources.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from devstack import DevStack
from devstack.resources import spare_queue
from lambda_forwarder.parking.sqs import SqsParking
from tailrace.dev.consumer import Consumer
from tests.lambda_forwarder.parking.test_parkings import parked
from tests.lambda_forwarder.values import forever
from tests.tailrace_cdk.deployment import LEFT_OUT, create
from tests.tailrace_cdk.here import ORDERS, Here

LARGE = 1_500_000  # bytes, more than any message holds
TIMEOUT = 30.0  # seconds; the function's first start is the slowest


@pytest.fixture
def consumer(here: Here) -> Iterator[Consumer]:
    """A consumer of the consumer's bus, with an empty queue."""
    with spare_queue(here.aws) as queue:
        yield Consumer(here.aws("sqs"), queue)


def test_everything_that_the_emulator_supports_is_deployed(here: Here) -> None:
    template, deployed = here.made.template["Resources"], here.deployment.resources
    assert {name for name, one in deployed.items() if one["ResourceStatus"] == "CREATE_COMPLETE"} == {
        name for name, one in template.items() if one["Type"] not in LEFT_OUT
    }


def test_every_listed_type_cannot_be_deployed(here: Here) -> None:
    """The refusal of the whole template names exactly the list."""
    with pytest.raises(ClientError) as refused:
        create(here.aws, "whole", here.made.template)
    _, _, types = refused.value.response["Error"]["Message"].partition("Unrecognized resource types: ")
    assert set(types.strip("[]").split(", ")) == set(LEFT_OUT)


def test_payment_reaches_a_consumer_through_the_deployed_resources(
    here: Here, stack: DevStack, consumer: Consumer, fresh: str
) -> None:
    """Database, tailer, queue, bucket, mapping, function, bus, rule, another team's bus and queue: created, then cancelled."""
    outputs = here.deployment.outputs
    tailer = stack.start_tailer(
        queue_url=outputs["QueueUrl"],
        checkpoints=f"dynamodb://{outputs['StateTable']}",
        claim_bucket=outputs["ClaimBucket"],
        database=fresh,
        stream="deployed",
    )
    tailer.wait_ready()
    payments = stack.mongo[fresh].payments
    payments.insert_one({"_id": "one", "subscriptionId": "s1", "status": "created", "updated": datetime.now(UTC)})
    payments.update_one({"_id": "one"}, {"$set": {"status": "cancelled"}})
    payments.insert_one({"_id": "large", "subscriptionId": "s1", "status": "created", "scan": os.urandom(LARGE)})
    arrived = consumer.receive_count(3, TIMEOUT)
    assert tailer.stop() == 0
    assert [event.name for event in arrived if event.document.endswith("/one")] == ["PaymentCreated", "PaymentCancelled"]
    [claimed] = here.aws("s3").list_objects_v2(Bucket=outputs["ClaimBucket"], Prefix="deployed/")["Contents"]
    assert claimed["Size"] > LARGE


def test_item_reaches_a_consumer_through_the_deployed_resources(here: Here, consumer: Consumer) -> None:
    """Another team's table and its stream, and the deployed mapping, function, bus and rule."""
    item = {"id": {"S": "p1"}, "subscriptionId": {"S": "s1"}, "status": {"S": "created"}}
    here.aws("dynamodb").put_item(TableName=ORDERS, Item=item)
    [event] = consumer.receive_count(1, TIMEOUT)
    assert (event.name, event.data["subscriptionId"]) == ("PaymentCreated", "s1")


def test_deployed_redrive_publishes_a_parked_change(here: Here, consumer: Consumer, fresh: str) -> None:
    """Invoked as by the schedule. The event is marked late."""
    item = replace(parked(fresh, 1), mapper="events.payments.payment_created")  # its name in the zip
    SqsParking(here.aws("sqs"), here.deployment.outputs["ParkingQueueUrl"]).park([item], forever)
    redrive = here.deployment.physical("AWS::Lambda::Function", "Redrive")
    response = here.aws("lambda").invoke(FunctionName=redrive, Payload="{}")
    assert json.loads(response["Payload"].read())["published"] == 1
    [event] = consumer.receive_count(1, TIMEOUT)
    assert event.document == f"payments.payments/{fresh}"
    assert event.metadata.late is True
