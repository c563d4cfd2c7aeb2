"""The DynamoDB store, on the emulator."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from devstack import DevStack
from tailer.checkpoints.gaps import KEPT, REASON_LIMIT, WHO_LIMIT, gap_added, gap_announced
from tailer.errors import Misconfigured, Rejected
from tailer.model import After, Gap, Record
from tailer.stores.dynamodb import DynamodbCheckpoints
from tailer.streaming.storable_positions import TOKEN_LIMIT
from tests.conformance.checkpoint_store import CHECKPOINT, CheckpointStoreConformance, KeepsOldRecords, Put


@pytest.fixture
def table(stack: DevStack, fresh: str) -> str:
    stack.aws("dynamodb").create_table(
        TableName=fresh,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return fresh


class TestDynamodbCheckpoints(CheckpointStoreConformance, KeepsOldRecords):
    @pytest.fixture
    def store(self, stack: DevStack, table: str) -> DynamodbCheckpoints:
        return DynamodbCheckpoints(stack.aws("dynamodb"), table)

    @pytest.fixture
    def put(self, stack: DevStack, table: str) -> Put:
        def put(record: Mapping[str, Any]) -> None:
            item = {"pk": {"S": f"stream/{record['stream']}"}, "version": {"N": str(record["version"])}}
            stack.aws("dynamodb").put_item(TableName=table, Item=item | {"record": {"S": json.dumps(record)}})

        return put


def test_missing_table_is_named_with_its_setting(stack: DevStack) -> None:
    with pytest.raises(Misconfigured, match="TAILER_CHECKPOINTS: nowhere does not exist"):
        DynamodbCheckpoints(stack.aws("dynamodb"), "nowhere").read("payments")


def test_missing_table_has_the_command_that_seeds_a_position(stack: DevStack) -> None:
    """In a new, empty table every stream would start at now."""
    with pytest.raises(Misconfigured, match=r"before you start a task, .*: tailer checkpoint seed --to TIME"):
        DynamodbCheckpoints(stack.aws("dynamodb"), "nowhere").read("payments")


def a_gap(number: int, reason: str = "lost", by: str = "ada") -> Gap:
    times: dict[str, Any] = {"after": f"{1_700_000_000 + number}.1", "until": f"{1_700_000_001 + number}.1"}
    return Gap(generation=number, sequence=number, accepted_by=by, accepted_at="2026-11-22T07:00:00Z", reason=reason, **times)


def test_thousands_of_gaps_fit_an_item(stack: DevStack, table: str) -> None:
    """The newest are kept."""
    store, record = DynamodbCheckpoints(stack.aws("dynamodb"), table), Record(stream="payments", checkpoint=CHECKPOINT)
    for number in range(1, 3001):
        record = gap_added(record, a_gap(number))
        record = gap_announced(record, next(gap for gap in record.gaps if not gap.announced))
    store.write(replace(record, version=1))
    kept = store.read("payments")
    assert kept is not None
    assert [gap.sequence for gap in kept.gaps] == list(range(3001 - KEPT, 3001))
    assert all(gap.announced for gap in kept.gaps)


def test_largest_record_fits_an_item(stack: DevStack, table: str) -> None:
    """The maximum of gaps, with the longest reasons in the most expensive characters, and the longest token."""
    record = Record(stream="s" * 80, checkpoint=replace(CHECKPOINT, position=After("8" * TOKEN_LIMIT)), problem="\x01" * 2000)
    for number in range(2 * KEPT):
        record = gap_added(record, a_gap(number, "\x01" * REASON_LIMIT, "\x01" * WHO_LIMIT))
        if number < KEPT:
            record = gap_announced(record, record.gaps[-1])
    assert len(record.gaps) == 2 * KEPT
    DynamodbCheckpoints(stack.aws("dynamodb"), table).write(replace(record, version=1))
    with pytest.raises(Misconfigured, match="start a task"):
        gap_added(record, a_gap(99))
    with pytest.raises(Misconfigured, match="--why has 1001 characters"):
        gap_added(Record(stream="payments"), a_gap(1, "x" * 1001))


def test_record_too_large_for_an_item_names_its_largest_field(stack: DevStack, table: str) -> None:
    """The message contains nothing of the record."""
    store = DynamodbCheckpoints(stack.aws("dynamodb"), table)
    with pytest.raises(Rejected, match=r"the largest field is identity, with 4\d{5} bytes") as caught:
        store.write(Record(stream="payments", version=1, identity="x" * 420_000))
    assert "partition key" not in str(caught.value)
    assert "xxxx" not in str(caught.value)
