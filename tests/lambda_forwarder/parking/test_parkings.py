"""The guarantees of every parking place."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import uuid4

import msgspec
import pytest

from examples.payments.events.payments import payment_created
from lambda_forwarder.in_memory import MemoryParking
from lambda_forwarder.model.parked import Parked, unmapped, unreadable
from lambda_forwarder.parking.sqs import SqsParking
from lambda_forwarder.ports import Parking
from tailrace.dev.aws import Aws
from tailrace.events import Mapper
from tailrace.message import unpack
from tailrace.wire.message import UnreadableMessage
from tests.lambda_forwarder.values import delivery, forever, inserted, message

Content = Callable[[], list[Parked]]


def parked(
    document: str, sequence: int = 1, *, reason: str = "boom", mapper: Mapper = payment_created, **fields: Any
) -> Parked:
    change = inserted(document, sequence, **fields)
    return unmapped(change, message(change), mapper, ValueError(reason))


class ParkingConformance:
    """A subclass has the fixtures ``parking`` and ``kept``."""

    def test_every_item_is_kept(self, parking: Parking, kept: Content) -> None:
        """With its reason, its remedy and its change."""
        items = [parked(str(number), number) for number in range(12)]
        parking.park(items, forever)
        assert sorted(item.id for item in kept()) == sorted(item.id for item in items)

    def test_message_of_a_parked_item_can_be_sent_again(self, parking: Parking, kept: Content) -> None:
        """It is the change as a message of the queue."""
        parking.park([parked("a", sequence=7)], forever)
        [item] = kept()
        assert unpack(bytes(item.message).decode()) == message(inserted("a", 7))

    def test_items_of_a_document_keep_their_order(self, parking: Parking, kept: Content) -> None:
        parking.park([parked("a", 1), parked("b", 2), parked("a", 3), parked("a", 4)], forever)
        assert [item.sequence for item in kept() if item.document.endswith("/a")] == [1, 3, 4]

    def test_any_text_can_be_parked(self, parking: Parking, kept: Content) -> None:
        """Characters that SQS refuses, in a reason or in a document."""
        text = "\x00\x1b[31m\ud800\ufffe\uffff😀"
        fields: dict[str, Any] = {"note": "\x00\x1b\ufffe\uffff😀"}
        parking.park([parked("a\x00\uffff", reason=text, **fields)], forever)
        [item] = kept()
        assert item.reason == r"ValueError: \u0000\u001b[31m\ud800\ufffe\uffff😀"
        [change] = unpack(bytes(item.message).decode()).changes
        assert change == inserted("a\x00\uffff", 1, **fields)

    def test_foreign_message_is_parked_unchanged(self, parking: Parking, kept: Content) -> None:
        parking.park([unreadable(delivery("hello <&> \n"), UnreadableMessage("not ours"))], forever)
        [item] = kept()
        assert (item.body, item.reason) == ("hello <&> \n", "not ours")


class TestMemoryParking(ParkingConformance):
    @pytest.fixture
    def parking(self) -> MemoryParking:
        return MemoryParking()

    @pytest.fixture
    def kept(self, parking: MemoryParking) -> Content:
        return lambda: list(parking.parked.values())


class SqsParkingConformance(ParkingConformance):
    attributes: ClassVar[dict[str, str]]
    suffix: ClassVar[str]

    @pytest.fixture
    def queue_url(self, aws: Aws) -> str:
        queue = aws("sqs").create_queue(QueueName=f"parking-{uuid4().hex}{self.suffix}", Attributes=self.attributes)
        return str(queue["QueueUrl"])

    @pytest.fixture
    def parking(self, aws: Aws, queue_url: str) -> SqsParking:
        return SqsParking(aws("sqs"), queue_url)

    @pytest.fixture
    def kept(self, aws: Aws, queue_url: str) -> Content:
        def received() -> list[Parked]:
            items = []
            while messages := aws("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
                for one in messages:
                    items.append(msgspec.json.decode(one["Body"], type=Parked))
                    aws("sqs").delete_message(QueueUrl=queue_url, ReceiptHandle=one["ReceiptHandle"])
            return items

        return received


class TestSqsParkingStandard(SqsParkingConformance):
    attributes: ClassVar[dict[str, str]] = {}
    suffix = ""


class TestSqsParkingFifo(SqsParkingConformance):
    attributes: ClassVar[dict[str, str]] = {"FifoQueue": "true"}
    suffix = ".fifo"

    def test_repeated_item_is_kept_once(self, parking: Parking, kept: Content) -> None:
        """The same change, mapper and generation have the same deduplication id."""
        parking.park([parked("a")], forever)
        parking.park([parked("a")], forever)
        assert len(kept()) == 1
