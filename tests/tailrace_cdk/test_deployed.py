"""The messaging part's own template, deployed to the emulator's CloudFormation, and a payment sent through what came of it."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from devstack import DevStack
from devstack.consumer import Consumer
from devstack.resources import spare_queue
from lambda_forwarder.parking.sqs import SqsParking
from tests.lambda_forwarder.parking.test_parkings import parked
from tests.lambda_forwarder.values import forever
from tests.tailrace_cdk.deployment import create
from tests.tailrace_cdk.here import LEFT_OUT, ORDERS, Here

LARGE = 1_500_000  # bytes, of which no message holds so many
TIMEOUT = 30.0  # seconds; the slowest is the function's first start


@pytest.fixture
def consumer(here: Here) -> Iterator[Consumer]:
    """Behind the consumer's bus, with nothing in it from before."""
    with spare_queue(here.aws) as queue:
        yield Consumer(here.aws("sqs"), queue)


def test_everything_but_what_is_listed_is_deployed(here: Here) -> None:
    """Each resource of the template is there by the emulator's own word, or of a type that the list above names."""
    template, deployed = here.made.template["Resources"], here.deployment.resources
    assert {name for name, one in deployed.items() if one["ResourceStatus"] == "CREATE_COMPLETE"} == {
        name for name, one in template.items() if one["Type"] not in LEFT_OUT
    }


def test_what_is_listed_cannot_be_deployed(here: Here) -> None:
    """The whole template is refused, and the refusal names the list and nothing else: no entry of it is out of date."""
    with pytest.raises(ClientError) as refused:
        create(here.aws, "whole", here.made.template)
    _, _, types = refused.value.response["Error"]["Message"].partition("Unrecognized resource types: ")
    assert set(types.strip("[]").split(", ")) == set(LEFT_OUT)


def test_a_payment_reaches_a_consumer_through_what_was_deployed(
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


def test_an_item_reaches_a_consumer_through_what_was_deployed(here: Here, consumer: Consumer) -> None:
    """Another team's table, its stream, the deployed mapping, function, bus and rule."""
    item = {"id": {"S": "p1"}, "subscriptionId": {"S": "s1"}, "status": {"S": "created"}}
    here.aws("dynamodb").put_item(TableName=ORDERS, Item=item)
    [event] = consumer.receive_count(1, TIMEOUT)
    assert (event.name, event.data["subscriptionId"]) == ("PaymentCreated", "s1")


def test_what_was_parked_is_published_by_the_deployed_redrive(here: Here, consumer: Consumer, fresh: str) -> None:
    """As the schedule wakes it; the event says that it is late."""
    SqsParking(here.aws("sqs"), here.deployment.outputs["ParkingQueueUrl"]).park([parked(fresh, 1)], forever)
    redrive = here.deployment.physical("AWS::Lambda::Function", "Redrive")
    response = here.aws("lambda").invoke(FunctionName=redrive, Payload="{}")
    assert json.loads(response["Payload"].read())["published"] == 1
    [event] = consumer.receive_count(1, TIMEOUT)
    assert event.document == f"payments.payments/{fresh}"
    assert event.metadata["late"] is True
