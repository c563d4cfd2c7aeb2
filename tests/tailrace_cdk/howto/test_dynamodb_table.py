"""An item of a DynamoDB table becomes an event, by the commands of the page."""

import sys

from devstack.resources import spare_queue
from tailrace.dev.consumer import Consumer
from tailrace_cdk.config import StreamTable
from tests.howto.page import Page
from tests.tailrace_cdk.here import ORDERS, Here


def test_item_becomes_an_event(page: Page, here: Here, fresh: str) -> None:
    """The stream of a new table has both images and an ARN that a deployment takes. The table of ``here`` is deployed so."""
    here.aws("dynamodb").create_table(
        TableName=fresh,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    page.program("aws", f'#!/bin/sh\nexec "{sys.executable}" -P -m tests.aws_command "$@"\n')
    page.variables |= here.aws.environment | {"TABLE": fresh}
    *_, stream_arn = page.run().split()
    assert StreamTable(stream_arn=stream_arn).table == fresh
    described = here.aws("dynamodb").describe_table(TableName=fresh)["Table"]
    assert described["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    page.variables["TABLE"] = ORDERS
    with spare_queue(here.aws) as queue:
        page.run()
        [event] = Consumer(here.aws("sqs"), queue).receive_count(1)
    assert (event.name, event.document) == ("PaymentCreated", f"dynamodb.{ORDERS}/p-1")
