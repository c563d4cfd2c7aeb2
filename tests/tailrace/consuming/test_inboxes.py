"""Both inboxes keep the same promises; the one in DynamoDB also under contention."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from devstack import DevStack
from tailrace.consuming import DynamodbInbox, MemoryInbox
from tests.conformance.inbox import InboxConformance
from tests.tailrace.consuming.values import event


class TestMemoryInbox(InboxConformance):
    @pytest.fixture
    def inbox(self) -> MemoryInbox:
        return MemoryInbox()

    @pytest.fixture
    def texts(self) -> list[str]:
        return []

    @pytest.fixture
    def append(self, texts: list[str]) -> Callable[[str], Any]:
        return lambda text: lambda: texts.append(text)

    @pytest.fixture
    def failing(self) -> Any:
        def fail() -> None:
            raise RuntimeError("failed on purpose")

        return fail

    @pytest.fixture
    def applied(self, texts: list[str]) -> Callable[[], str]:
        return lambda: "".join(texts)


@pytest.fixture
def table(stack: DevStack, fresh: str) -> Iterator[str]:
    stack.aws("dynamodb").create_table(
        TableName=fresh,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield fresh
    stack.aws("dynamodb").delete_table(TableName=fresh)


class TestDynamodbInbox(InboxConformance):
    """Its effects are items of the same table."""

    @pytest.fixture
    def inbox(self, stack: DevStack, table: str) -> DynamodbInbox:
        return DynamodbInbox(stack.aws("dynamodb"), table)

    @pytest.fixture
    def append(self, table: str) -> Callable[[str], Any]:
        numbers = count()

        def put(text: str) -> dict[str, Any]:
            return {"Put": {"TableName": table, "Item": {"id": {"S": f"text/{next(numbers):03}"}, "text": {"S": text}}}}

        return put

    @pytest.fixture
    def failing(self, table: str) -> Any:
        exists = "attribute_exists(id)"
        return {"ConditionCheck": {"TableName": table, "Key": {"id": {"S": "missing"}}, "ConditionExpression": exists}}

    @pytest.fixture
    def applied(self, stack: DevStack, table: str) -> Callable[[], str]:
        def texts() -> str:
            items = stack.aws("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
            found = {item["id"]["S"]: item["text"]["S"] for item in items if "text" in item}
            return "".join(found[key] for key in sorted(found))

        return texts

    def test_note_expires(self, stack: DevStack, table: str) -> None:
        """Both kinds of notes, as long after their last write as ``keep`` says, in whole seconds since 1970."""
        now = [1_795_330_000.9]
        inbox = DynamodbInbox(stack.aws("dynamodb"), table, keep=timedelta(days=30), clock=lambda: now[0])
        inbox.once(event(1))
        inbox.newest(event(1))
        now[0] += 100
        inbox.newest(event(2))
        items = stack.aws("dynamodb").scan(TableName=table)["Items"]
        expires = {item["id"]["S"].partition("/")[0]: item["expires"] for item in items}
        assert expires == {"event": {"N": "1797922000"}, "document": {"N": "1797922100"}}

    def test_of_two_consumers_one_applies(self, stack: DevStack, table: str) -> None:
        """The others are told that it was handled, or that their transaction conflicted."""
        client = stack.aws("dynamodb")

        def handled(_: int) -> bool:
            try:
                return DynamodbInbox(client, table).once(event(1))
            except client.exceptions.TransactionCanceledException:
                return False

        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(handled, range(12))) == 1
