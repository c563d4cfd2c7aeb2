"""The DynamoDB store, on the emulator."""

import pytest

from devstack import DevStack
from tailer.checkpoints.dynamodb import DynamodbCheckpoints
from tailer.errors import Misconfigured
from tests.conformance.checkpoint_store import CheckpointStoreConformance


class TestDynamodbCheckpoints(CheckpointStoreConformance):
    @pytest.fixture
    def store(self, stack: DevStack, fresh: str) -> DynamodbCheckpoints:
        stack.aws("dynamodb").create_table(
            TableName=fresh,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return DynamodbCheckpoints(stack.aws("dynamodb"), fresh)


def test_a_missing_table_is_named(stack: DevStack) -> None:
    """The message says which setting and which table."""
    with pytest.raises(Misconfigured, match="TAILER_CHECKPOINTS: nowhere does not exist"):
        DynamodbCheckpoints(stack.aws("dynamodb"), "nowhere").read("payments")


def test_a_table_that_was_lost_is_not_just_made_again(stack: DevStack) -> None:
    """The streams would start at now: where they were has to be told before."""
    with pytest.raises(Misconfigured, match=r"before you start, .*: tailer checkpoint seed --to TIME"):
        DynamodbCheckpoints(stack.aws("dynamodb"), "nowhere").read("payments")
