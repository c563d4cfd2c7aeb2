"""One deployment of the messaging part for all tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.resources import CONSUMER_BUS
from devstack.stack import function_target
from infra.package import package
from tailrace.dev.aws import Aws, arn
from tailrace_cdk.config import Bus, Consumer, Environment, Forwarder, StreamTable
from tailrace_cdk.synthesis.synthesis import Synthesised, of_environment
from tests.tailrace_cdk.deployment import LEFT_OUT, Deployment, bootstrap, deploy, publish, remove, without

NAME = "messaging"
ORDERS = "payments"  # a DynamoDB table, named like the collection, so that the same mappers read both


@dataclass(frozen=True, kw_only=True)
class Here:
    """One deployment, and the clients of its account."""

    aws: Aws
    made: Synthesised
    deployment: Deployment


@contextmanager
def deployed(aws: Aws, folder: Path) -> Iterator[Here]:
    """Deploy the stack for the duration of the block."""
    made = of_environment(
        _environment(_table(aws)), folder / "cdk.out", package=package(folder / "forwarder.zip", *function_target())
    )
    bootstrap(aws)
    publish(aws, made.file.parent, made.stack)
    yield Here(aws=aws, made=made, deployment=deploy(aws, made.stack, without(made.template, LEFT_OUT)))
    remove(aws, made.stack)


def _table(aws: Aws) -> str:
    """Create a table of another team whose stream is forwarded, and return the stream's ARN."""
    made = aws("dynamodb").create_table(
        TableName=ORDERS,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return str(made["TableDescription"]["LatestStreamArn"])


def _environment(stream_arn: str) -> Environment:
    consumer = Consumer(name="subscriptions", bus_arn=arn("events", f"event-bus/{CONSUMER_BUS}"))
    return Environment(
        name=NAME,
        removal="destroy",
        bus=Bus(consumers=(consumer,), allowed_accounts=("111122223333",)),
        forwarder=Forwarder(dynamodb_streams=(StreamTable(stream_arn=stream_arn),)),
    )
