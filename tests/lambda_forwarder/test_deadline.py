"""When the time runs out, at most the call in progress is finished."""

import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from examples.payments.events import MAPPERS
from lambda_forwarder.aws.table import Table
from lambda_forwarder.claims.s3 import PART, S3Claims
from lambda_forwarder.errors import ForwarderError
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryBacklog
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked, unreadable
from lambda_forwarder.parking.sqs import SqsParking
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.publishing.bus_checks import BusCheckingPublisher
from lambda_forwarder.publishing.buses import ClassicBus, OrderedBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.publishing.strict_order import in_strict_order
from lambda_forwarder.redriving.queues import dead_letter_queue
from lambda_forwarder.redriving.redriver import Redriver
from lambda_forwarder.redriving.sqs import SqsBacklog
from lambda_forwarder.watermarks.dynamodb import DynamodbWatermarks
from tailrace.wire.change import Claim
from tailrace.wire.message import UnreadableMessage
from tests.lambda_forwarder.parking.test_parkings import parked
from tests.lambda_forwarder.parking.test_sqs import noise
from tests.lambda_forwarder.publishing.test_eventbridge import Clock
from tests.lambda_forwarder.values import KeepingBus, body, delivery, inserted, noted, noted_entries

CALL = 3.0  # seconds that each call takes
LEFT = 10.0  # seconds at the start
MANY = 40  # calls that each operation would make

SPOILED = ClientError({"Error": {"Code": "ValidationException"}}, "PutEvents")
AWAY = ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents")


class SlowClient:
    """Every boto3 client in one: each call takes the same time. ``bus`` is the bus's response or error."""

    def __init__(self, clock: Clock, bus: Any = None) -> None:
        self.clock = clock
        self._bus = bus

    def _call(self) -> None:
        self.clock.left -= CALL

    def put_events(self, Entries: Sequence[Any], **_: object) -> Any:  # noqa: N803 - boto3's names, here and below
        self._call()
        if isinstance(self._bus, Exception):
            raise self._bus
        return {"Entries": [self._bus or {"EventId": "1"} for _ in Entries]}

    def describe_event_bus(self, **_: object) -> Any:
        self._call()
        return {}

    def send_message_batch(self, Entries: Sequence[Any], **_: object) -> Any:  # noqa: N803
        self._call()
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    delete_message_batch = change_message_visibility_batch = send_message_batch

    def batch_get_item(self, RequestItems: Any, **_: object) -> Any:  # noqa: N803
        self._call()
        return {"Responses": {}, "UnprocessedKeys": RequestItems}

    def put_object(self, **_: object) -> Any:
        self._call()
        return {}

    def get_object(self, **_: object) -> Any:
        self._call()
        return {"Body": SlowObject(self.clock)}


class SlowObject(BytesIO):
    """An object whose every part takes as long as a call."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(b"x" * PART * MANY)
        self._clock = clock

    def read(self, size: int | None = -1) -> bytes:
        self._clock.left -= CALL
        return super().read(size)


def entries_of_one_document(text: str = "") -> Sequence[Entry]:
    """Each needs a call of its own."""
    return [noted("a", sequence, text=text) for sequence in range(1, MANY + 1)]


def waiting(number: int) -> Delivery:
    return Delivery(id=str(number), group="g", body=body(inserted("a", number)), receipt=str(number))


def classic(client: SlowClient) -> EventBridgePublisher:
    return EventBridgePublisher(ClassicBus(client, "b"), sleep=client.clock.sleep)


def ordered(client: SlowClient) -> EventBridgePublisher:
    return EventBridgePublisher(OrderedBus(client, "b"), sleep=client.clock.sleep)


def watched(client: SlowClient, *, gone: bool = False) -> BusCheckingPublisher:
    check = ClassicBus(client, "b").check
    publisher = BusCheckingPublisher(classic(client), check, now=lambda: datetime(2026, 11, 28, tzinfo=UTC))
    publisher._gone = gone
    return publisher


def forwarder(client: SlowClient, **parts: Any) -> Forwarder:
    there: dict[str, Any] = {"mappers": MAPPERS, "publisher": classic(client), "parking": SqsParking(client, "q.fifo")}
    return Forwarder(**(there | {"watermarks": _Marks()} | parts))


class _Marks:
    def read(self, lanes: Any, time_left: TimeLeft) -> Any:
        return {}

    def advance(self, lane: str, to: Any) -> None:
        """Take no time: the watermark may always be moved once."""


def redriver(client: SlowClient) -> Redriver:
    backlog = MemoryBacklog(waiting=[waiting(number) for number in range(1, MANY)])
    return Redriver(forwarder=forwarder(client), queues=[dead_letter_queue(backlog)])


def batch(poison: bool = False) -> Sequence[Any]:
    fields = {"subscriptionId": 7} if poison else {}
    return [delivery(body(*(inserted("a", 100 * start + number, **fields) for number in range(MANY)))) for start in range(3)]


def poisoned(*_: object) -> Any:
    raise ValueError


def parked_items(count: int = MANY) -> Sequence[Parked]:
    return [parked("a", number) for number in range(count)]


CLAIM = Claim(bucket="b", key="k", bytes=PART * MANY, sha256="0" * 64)
HELD = [waiting(number) for number in range(10 * MANY)]
OPERATIONS: dict[str, Callable[[Clock], Any]] = {
    "publish, call by call": lambda clock: classic(SlowClient(clock)).publish(entries_of_one_document(), clock),
    "publish, ordered": lambda clock: ordered(SlowClient(clock)).publish(entries_of_one_document(), clock),
    "publish, a call taken apart": lambda clock: classic(SlowClient(clock, SPOILED)).publish(
        noted_entries(*"abcdefghij"), clock
    ),
    "publish, a large call taken apart": lambda clock: ordered(SlowClient(clock, SPOILED)).publish(
        [noted(str(number), number) for number in range(100)], clock
    ),
    "publish, entries throttled": lambda clock: classic(SlowClient(clock, {"ErrorCode": "ThrottlingException"})).publish(
        noted_entries(*"abc"), clock
    ),
    "publish, calls throttled": lambda clock: classic(SlowClient(clock, AWAY)).publish(noted_entries(*"abc"), clock),
    "publish, strict": lambda clock: in_strict_order(classic(SlowClient(clock)), entries_of_one_document(), clock),
    "publish, watched": lambda clock: watched(SlowClient(clock)).publish(entries_of_one_document(), clock),
    "publish, a bus that was gone": lambda clock: watched(SlowClient(clock), gone=True).publish(
        entries_of_one_document(), clock
    ),
    "store events": lambda clock: EventBridgePublisher(KeepingBus(), S3Claims(SlowClient(clock), "b")).publish(
        [noted(str(number), number, text="x" * 1_100_000) for number in range(8)], clock
    ),
    "park": lambda clock: SqsParking(SlowClient(clock), "q.fifo").park(parked_items(), clock),
    "park what does not fit": lambda clock: SqsParking(SlowClient(clock), "q.fifo", S3Claims(SlowClient(clock), "b")).park(
        [unreadable(delivery(noise(1_400_000)), UnreadableMessage("x")) for _ in range(3)], clock
    ),
    "read watermarks": lambda clock: DynamodbWatermarks(Table(SlowClient(clock), "t", sleep=clock.sleep)).read(
        [f"payments.{lane}" for lane in range(100 * MANY)], clock
    ),
    "fetch a claim": lambda clock: S3Claims(SlowClient(clock), "b").fetch(CLAIM, clock),
    "remove from a backlog": lambda clock: SqsBacklog(SlowClient(clock), "q", "Q").remove(HELD, clock),
    "give back to a backlog": lambda clock: SqsBacklog(SlowClient(clock), "q", "Q").give_back(HELD, clock),
    "forward a batch": lambda clock: forwarder(SlowClient(clock)).forward(batch(), clock),
    "forward a batch, throttled": lambda clock: forwarder(SlowClient(clock, AWAY)).forward(batch(), clock),
    "forward a batch, taken apart": lambda clock: forwarder(SlowClient(clock, SPOILED)).forward(batch(), clock),
    "park a batch": lambda clock: forwarder(SlowClient(clock)).forward(batch(poison=True), clock),
    "redrive": lambda clock: redriver(SlowClient(clock)).redrive(clock),
}
"""Each would take much longer than there is time."""


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("left", [LEFT, CALL, 0.5])
def test_no_call_begins_when_the_time_is_up(operation: Callable[[Clock], Any], left: float) -> None:
    """The overrun is at most one call; two more may save finished work."""
    clock = Clock(left)
    with contextlib.suppress(ForwarderError):
        operation(clock)
    assert clock.left > -3 * CALL


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "batch" not in name and name != "redrive"])
@pytest.mark.parametrize("left", [LEFT, CALL, 0.5])
def test_port_begins_no_call_when_the_time_is_up(name: str, left: float) -> None:
    """It overruns by less than one call and raises."""
    clock = Clock(left)
    with pytest.raises(ForwarderError):
        OPERATIONS[name](clock)
    assert clock.left > -CALL


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "publish, a bus that was gone"])
def test_no_call_is_made_without_time(name: str) -> None:
    clock = Clock(0.0)
    with contextlib.suppress(ForwarderError):
        OPERATIONS[name](clock)
    assert clock.left == 0.0
