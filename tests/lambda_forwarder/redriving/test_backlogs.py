"""The guarantees of every backlog."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import ClassVar
from uuid import uuid4

import pytest

from lambda_forwarder.errors import Misconfigured
from lambda_forwarder.in_memory import MemoryBacklog
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.ports import Backlog
from lambda_forwarder.redriving.sqs import SqsBacklog
from tailrace.dev.aws import Aws
from tests.lambda_forwarder.values import forever

Put = Callable[[str, str], None]
"""Puts a body into a group."""


def bodies(waiting: Sequence[Delivery]) -> list[str]:
    return [one.body for one in waiting]


class BacklogConformance:
    """A subclass has the fixtures ``backlog`` and ``put``."""

    def test_every_message_is_taken_once(self, backlog: Backlog, put: Put) -> None:
        """At most ten at a time. A held message is not taken again."""
        for number in range(12):
            put(f"group-{number}", str(number))
        first = backlog.take(100, 30)
        second = backlog.take(100, 30)
        assert len(first) <= 10
        assert sorted(bodies([*first, *second, *backlog.take(100, 30)])) == sorted(str(number) for number in range(12))
        assert backlog.take(100, 30) == []

    def test_no_more_than_requested_is_taken(self, backlog: Backlog, put: Put) -> None:
        for number in range(3):
            put(f"group-{number}", str(number))
        assert len(backlog.take(2, 30)) == 2
        assert len(backlog.take(2, 30)) == 1

    def test_removed_message_is_gone_and_returned_message_is_free_at_once(self, backlog: Backlog, put: Put) -> None:
        put("a", "1")
        put("b", "2")
        taken = {one.body: one for one in (*backlog.take(10, 30), *backlog.take(10, 30))}
        backlog.remove([taken["1"]], forever)
        backlog.give_back([taken["2"]], forever)
        assert bodies(backlog.take(10, 30)) == ["2"]

    def test_no_messages_are_no_error(self, backlog: Backlog) -> None:
        backlog.remove([], forever)
        backlog.give_back([], forever)
        assert backlog.take(10, 30) == []


class FifoConformance(BacklogConformance):
    def test_group_is_taken_in_order(self, backlog: Backlog, put: Put) -> None:
        """Nothing of a group is taken while one of its messages is held."""
        for number in range(12):
            put("a", str(number))
        first = backlog.take(100, 30)
        assert bodies(first) == [str(number) for number in range(len(first))]
        assert backlog.take(100, 30) == []
        backlog.give_back(first, forever)
        assert bodies(backlog.take(1, 30)) == ["0"]


class TestMemoryBacklog(FifoConformance):
    @pytest.fixture
    def backlog(self) -> MemoryBacklog:
        return MemoryBacklog()

    @pytest.fixture
    def put(self, backlog: MemoryBacklog) -> Put:
        numbers = count(1)

        def putting(group: str, body: str) -> None:
            backlog.waiting.append(Delivery(id=str(next(numbers)), group=group, body=body, receipt=body))

        return putting


class SqsConformance:
    attributes: ClassVar[dict[str, str]]
    suffix: ClassVar[str]

    @pytest.fixture
    def queue_url(self, aws: Aws) -> str:
        queue = aws("sqs").create_queue(QueueName=f"backlog-{uuid4().hex}{self.suffix}", Attributes=self.attributes)
        return str(queue["QueueUrl"])

    @pytest.fixture
    def backlog(self, aws: Aws, queue_url: str, monkeypatch: pytest.MonkeyPatch) -> SqsBacklog:
        monkeypatch.setattr("lambda_forwarder.redriving.sqs.WAIT_SECONDS", 0)
        return SqsBacklog(aws("sqs"), queue_url, "FORWARDER_PARKING_QUEUE_URL")

    @pytest.fixture
    def put(self, aws: Aws, queue_url: str) -> Put:
        def putting(group: str, body: str) -> None:
            fifo = {"MessageGroupId": group, "MessageDeduplicationId": uuid4().hex} if self.suffix else {}
            aws("sqs").send_message(QueueUrl=queue_url, MessageBody=body, **fifo)

        return putting


class TestSqsFifo(SqsConformance, FifoConformance):
    attributes: ClassVar[dict[str, str]] = {"FifoQueue": "true"}
    suffix = ".fifo"


class TestSqsStandard(SqsConformance, BacklogConformance):
    attributes: ClassVar[dict[str, str]] = {}
    suffix = ""


def test_missing_queue_is_reported_with_its_setting(aws: Aws) -> None:
    """And with the permissions that it needs."""
    url = f"{aws.endpoint_url}/000000000000/nowhere.fifo"
    with pytest.raises(Misconfigured, match=r"^FORWARDER_DEAD_LETTER_QUEUE_URL: .*nowhere.fifo cannot be used"):
        SqsBacklog(aws("sqs"), url, "FORWARDER_DEAD_LETTER_QUEUE_URL").check()
