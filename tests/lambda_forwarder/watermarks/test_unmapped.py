"""Counts of unmapped changes in the table of the watermarks."""

import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambda_forwarder import app
from lambda_forwarder.aws.table import ATTEMPTS, Table
from lambda_forwarder.errors import Misconfigured, Unavailable
from lambda_forwarder.handlers import sqs as sqs_handler
from lambda_forwarder.watermarks.dynamodb import DynamodbUnmapped, DynamodbWatermarks
from tailrace.aws.unmapped import EXPIRES, KEPT_SECONDS, Unmapped, kept, key
from tailrace.dev.aws import Aws
from tests.lambda_forwarder.handlers.test_sqs import Context, environment, parking
from tests.lambda_forwarder.values import body, cancelled, forever, inserted, record
from tests.lambda_forwarder.watermarks.test_dynamodb import ScriptedClient, failure
from tests.lambda_forwarder.watermarks.test_watermarks import create_watermark_table

__all__ = ["environment", "parking"]  # fixtures


@pytest.fixture
def table(aws: Aws) -> str:
    return create_watermark_table(aws)


def stored_unmapped(aws: Aws, table: str, stream: str = "payments") -> dict[str, Any]:
    item: dict[str, Any] = aws("dynamodb").get_item(TableName=table, Key=key(stream))["Item"]
    return item


def test_unmapped_counts_are_added_to_the_stored_ones(aws: Aws, table: str) -> None:
    """Per stream. Each write extends the expiry."""
    now = time.time()
    store = DynamodbUnmapped(Table(aws("dynamodb"), table), now=lambda: now)
    store.add("payments", {"shop.a": 1, "shop.b": 5}, forever)
    store.add("payments", {"shop.a": 2}, forever)
    store.add("others", {"shop.a": 7}, forever)
    item, at = stored_unmapped(aws, table), int(now)
    assert kept(item, now) == [
        Unmapped(collection="shop.b", changes=5, since=at, last=at),
        Unmapped(collection="shop.a", changes=3, since=at, last=at),
    ]
    assert item[EXPIRES]["N"] == str(at + KEPT_SECONDS)


def test_concurrent_writes_lose_no_counts(aws: Aws, table: str) -> None:
    """A writer that was overtaken fails and retries."""
    taken: list[int] = []

    def environment(number: int) -> None:
        store = DynamodbUnmapped(Table(aws("dynamodb"), table))
        for _ in range(3):
            with suppress(Unavailable):
                store.add("payments", {"shop.a": number}, forever)
                taken.append(number)

    threads = [threading.Thread(target=environment, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [one] = kept(stored_unmapped(aws, table), time.time())
    assert one.changes == sum(taken) > 0


def test_overtaken_write_is_unavailable() -> None:
    """Its counts are kept for the next attempt."""
    client = ScriptedClient({"Responses": {"table": []}}, failure("ConditionalCheckFailedException"))
    with pytest.raises(Unavailable, match="another execution environment"):
        DynamodbUnmapped(Table(client, "table")).add("payments", {"shop.a": 1}, forever)


@pytest.mark.parametrize(
    ("response", "reaction"),
    [
        (failure("ThrottlingException"), Unavailable),
        (failure("AccessDeniedException"), Misconfigured),
        ({"Responses": {}, "UnprocessedKeys": {"table": {"Keys": [key("payments")]}}}, Unavailable),
    ],
)
def test_dynamodb_error_maps_to_its_reaction(response: ClientError | dict[str, Any], reaction: type[Exception]) -> None:
    """Nothing is written after a failed read."""
    client = ScriptedClient(*[response] * ATTEMPTS)
    with pytest.raises(reaction):
        DynamodbUnmapped(Table(client, "table")).add("payments", {"shop.a": 1}, forever)
    assert all("RequestItems" in request for request in client.requests)


@pytest.mark.parametrize("group", ["payments/unmapped", "payments.17/attempt"])
def test_item_of_another_kind_is_no_watermark(aws: Aws, table: str, group: str) -> None:
    """The sender of a message chooses the group's name."""
    client = aws("dynamodb")
    client.put_item(TableName=table, Item={"pk": {"S": f"lane/{group}"}, "version": {"N": "1"}})
    assert DynamodbWatermarks(Table(client, table)).read([group, "payments.17"], forever) == {}


def test_function_records_unmapped_collections(aws: Aws, parking: str, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the deployed table, for the configured streams, beside the watermarks."""
    monkeypatch.setenv("FORWARDER_WATERMARKS", table)
    monkeypatch.setenv("FORWARDER_STREAMS", "payments")
    monkeypatch.setenv("FORWARDER_MAPPERS", "tests.lambda_forwarder.watermarks.test_unmapped:NO_MAPPERS")
    assert sqs_handler.handler({"Records": [record(body(inserted(), cancelled()))]}, Context()) == {"batchItemFailures": []}
    [one] = kept(stored_unmapped(aws, table), time.time())
    assert (one.collection, one.changes) == ("payments.payments", 2)
    app.forwarder.cache_clear()
    monkeypatch.delenv("FORWARDER_STREAMS")
    sqs_handler.handler({"Records": [record(body(inserted("b", 3)))]}, Context())
    assert kept(stored_unmapped(aws, table), time.time()) == [one]


NO_MAPPERS: dict[str, Any] = {}
