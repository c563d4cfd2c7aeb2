"""The guarantees of every store of attempts, in memory and in DynamoDB on the emulator."""

from typing import Any

import pytest

from lambda_forwarder.aws.table import Table
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.in_memory import MemoryAttempts
from lambda_forwarder.model.attempt import READING, Attempt
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import Attempts
from lambda_forwarder.watermarks.dynamodb import DynamodbAttempts, DynamodbWatermarks
from tailrace.dev.aws import Aws
from tests.lambda_forwarder.values import forever
from tests.lambda_forwarder.watermarks.test_watermarks import create_watermark_table

LANE = "payments.17"


class AttemptsConformance:
    def test_group_without_attempts_is_omitted(self, attempts: Attempts) -> None:
        assert attempts.read([LANE], forever) == {}
        assert attempts.read([], forever) == {}

    @pytest.mark.parametrize(
        "note",
        [
            Attempt(message="m1", answered=7),
            Attempt(message="m1", trying=READING, begun=1),
            Attempt(message="m1", trying=499, begun=3),
        ],
    )
    def test_last_attempt_of_a_group_is_read(self, attempts: Attempts, note: Attempt) -> None:
        attempts.write(LANE, Attempt(message="m0", answered=3, trying=4, begun=2))
        attempts.write(LANE, note)
        attempts.write("payments.18", Attempt(message="m9", answered=1))
        found = attempts.read([LANE, "payments.18", "payments.19"], forever)
        assert found == {LANE: note, "payments.18": Attempt(message="m9", answered=1)}


class TestMemoryAttempts(AttemptsConformance):
    @pytest.fixture
    def attempts(self) -> Attempts:
        return MemoryAttempts()


class TestDynamodbAttempts(AttemptsConformance):
    @pytest.fixture
    def attempts(self, aws: Aws) -> Attempts:
        return DynamodbAttempts(Table(aws("dynamodb"), create_watermark_table(aws)))

    def test_attempts_share_the_table_of_the_watermarks(self, aws: Aws) -> None:
        """As separate items."""
        table = create_watermark_table(aws)
        attempts, watermarks = (
            DynamodbAttempts(Table(aws("dynamodb"), table)),
            DynamodbWatermarks(Table(aws("dynamodb"), table)),
        )
        mark, note = Watermark(generation=1, sequence=7, cluster_time="1.1"), Attempt(message="m1", trying=2, begun=1)
        watermarks.advance(LANE, mark)
        attempts.write(LANE, note)
        assert attempts.read([LANE], forever) == {LANE: note}
        assert watermarks.read([LANE], forever) == {LANE: mark}


def test_attempt_expires_after_its_message(aws: Aws) -> None:
    """The sender of a message chooses the group's name. A message is in three queues for at most 14 days each."""
    table = create_watermark_table(aws)
    DynamodbAttempts(Table(aws("dynamodb"), table), now=lambda: 1_000.7).write(LANE, Attempt(message="m1", answered=1))
    [item] = aws("dynamodb").scan(TableName=table)["Items"]
    assert int(item["expires"]["N"]) - 1_000 >= 3 * 14 * 86_400


def test_unprocessed_keys_are_unavailable() -> None:
    """Nothing is known, so nothing is processed."""

    class Client:
        def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 - boto3's name
            return {"Responses": {}, "UnprocessedKeys": RequestItems}

    with pytest.raises(Unavailable, match="throttled"):
        DynamodbAttempts(Table(Client(), "t")).read([LANE], forever)
