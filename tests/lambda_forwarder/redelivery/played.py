"""
A simulated FIFO queue and Lambda: time passes with receives, calls and pauses, and nobody waits. The queue counts receives,
hides received messages with the rest of their groups, moves messages with too many receives to the dead-letter queue, and drops
old ones. The function is killed at its timeout.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from botocore.exceptions import ClientError
from msgspec.structs import replace

from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryAttempts, MemoryClaims, MemoryParking, MemoryWatermarks
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.publishing.buses import ClassicBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.redelivery.returned_messages import RECEIVES
from tailrace.change import Change
from tailrace.events import Mappers
from tailrace.wire.message import group_id
from tests.lambda_forwarder.values import Noted, body, delivery

START = 1_795_330_680.0  # seconds since 1970
TIMEOUT, MARGIN = 30.0, 12.0  # seconds, the function's timeout
VISIBILITY = 600.0  # seconds, the queue's visibility timeout
RETENTION = 14 * 86_400.0  # seconds
CALL = 0.02  # seconds


class Killed(BaseException):
    """The process ended here."""


@dataclass(kw_only=True, eq=False)
class Message:
    id: str
    group: str
    text: str
    sent: str | None
    sent_at: float
    receives: int = 0
    visible_at: float = 0.0
    first: float | None = None


@dataclass(kw_only=True)
class SimulatedQueue:
    """
    The queue, the clock, the bus and the function. ``fault`` is called with every call of the bus; it may raise and take time.
    """

    mappers: Mappers
    fault: Callable[["SimulatedQueue"], None] = lambda _: None
    now: float = START
    end: float = 0.0
    messages: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    forgotten: list[Message] = field(default_factory=list)
    finished: list[Message] = field(default_factory=list)
    accepted: list[tuple[str, int]] = field(default_factory=list)  # (document, sequence)
    last_accepted: float = 0.0
    parking: MemoryParking = field(default_factory=MemoryParking)
    watermarks: MemoryWatermarks | None = field(default_factory=MemoryWatermarks)
    attempts: MemoryAttempts | None = field(default_factory=MemoryAttempts)
    block: bool = False
    invocations: int = 0
    killed: bool = False

    def send(self, *changes: Change, lane: int = 17, text: str | None = None, sent: str | None = None) -> Message:
        """Send a message as the tailer does, at the end of its lane."""
        number = f"m{len(self.messages) + len(self.finished) + len(self.dead)}"
        message = Message(
            id=number, group=group_id("payments", lane), text=text or body(*changes, lane=lane), sent=sent, sent_at=self.now
        )
        self.messages.append(message)
        return message

    def hide(self, records: Sequence[tuple[Delivery, float]], time_left: TimeLeft) -> None:
        """See ``Queue``."""
        if self.killed:
            raise Killed
        by_id = {message.id: message for message in self.messages}
        for one, seconds in records:
            by_id[one.id].visible_at = self.now + seconds

    def receive(self) -> list[Delivery]:
        """Return at most ten messages in order, of groups with none in flight, and move those with too many receives."""
        kept = [one for one in self.messages if self.now < one.sent_at + RETENTION]
        self.forgotten += [one for one in self.messages if one not in kept]
        self.messages = kept
        locked = {one.group for one in self.messages if one.visible_at > self.now}
        taken = [one for one in self.messages if one.group not in locked][:10]
        for one in [one for one in taken if one.receives >= RECEIVES]:
            self.messages.remove(one)
            taken.remove(one)
            self.dead.append(one)
        return [self._received(one) for one in taken]

    def _received(self, one: Message) -> Delivery:
        one.receives += 1
        one.first = self.now if one.first is None else one.first
        one.visible_at = self.now + VISIBILITY
        found = delivery(one.text, group=one.group, message_id=one.id, sent=one.sent, receives=one.receives)
        return replace(found, first_received=round(one.first * 1000) / 1000)

    def invoke(self, records: Sequence[Delivery]) -> None:
        """Invoke a fresh process once. The messages that its response does not report as failed are deleted."""
        self.invocations += 1
        self.killed = False
        self.end = self.now + TIMEOUT
        forwarder = Forwarder(
            mappers=self.mappers,
            publisher=EventBridgePublisher(ClassicBus(self, "b"), sleep=self.sleep),
            parking=self.parking,
            watermarks=self.watermarks,
            attempts=self.attempts,
            queue=self,
            claims=MemoryClaims(),
            block=self.block,
            now=lambda: self.now,
        )
        try:
            failed = forwarder.forward(records, lambda: self.end - MARGIN - self.now)
        except (Exception, Killed, SystemExit):
            return
        done = {one.id for one in records} - set(failed)
        self.finished += [one for one in self.messages if one.id in done]
        self.messages = [one for one in self.messages if one.id not in done]

    def sleep(self, seconds: float) -> None:
        self.now = min(self.now + seconds, self.end)
        if self.now == self.end:
            self.kill()

    def kill(self) -> NoReturn:
        """End the process. Python's exit handlers have no effect."""
        self.killed = True
        raise Killed

    def put_events(self, Entries: Sequence[Any], **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """Emulate a boto3 ``events`` client."""
        self.sleep(CALL)
        self.fault(self)
        for entry in Entries:
            told = json.loads(entry["Detail"])["metadata"]
            self.accepted.append((told["document"].rpartition("/")[2], told["sequence"]))
        self.last_accepted = self.now
        return {"Entries": [{"EventId": "1"} for _ in Entries]}

    def run(self, until: float = float("inf"), invocations: int = 100_000) -> None:
        """Run until the queue is empty or the time has come."""
        for _ in range(invocations):
            if not self.messages or self.now >= until:
                return
            if records := self.receive():
                self.invoke(records)
                self.now += CALL
            elif self.messages:
                self.now = max(self.now + CALL, min(self._free(group) for group in {one.group for one in self.messages}))
        raise AssertionError(f"{len(self.messages)} messages left after {invocations} invocations")

    def _free(self, group: str) -> float:
        return max(one.visible_at for one in self.messages if one.group == group)

    def check_order(self) -> None:
        """Assert that each document's events arrived first in the order of its changes."""
        first: dict[str, list[int]] = {}
        for document, sequence in self.accepted:
            if sequence not in first.setdefault(document, []):
                first[document].append(sequence)
        assert all(sequences == sorted(sequences) for sequences in first.values())

    @property
    def published(self) -> list[int]:
        return sorted({sequence for _, sequence in self.accepted})

    @property
    def parked(self) -> list[int]:
        return sorted(item.sequence for item in self.parking.parked.values())


def throttled(*_: object) -> None:
    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "said so"}}, "PutEvents")


def noted(change: Change) -> Noted:
    return Noted(number=change.sequence)


MAPPERS: Mappers = {"payments": (noted,)}
