"""
A FIFO queue and the Lambda behind it, played: time passes by receives, calls and pauses, and nobody waits.

The queue counts receives, hides what was received, keeps a group's later messages back meanwhile, gives up what was received
too often, and forgets what is too old. The function has an end, at which it is killed.
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
from lambda_forwarder.publishing.classic_bus import ClassicBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.publishing.strict_order import StrictOrderPublisher
from lambda_forwarder.redelivery.pause import RECEIVES
from tailrace.change import Change
from tailrace.events import Mappers
from tailrace.wire.message import group_id
from tests.lambda_forwarder.values import Noted, body, delivery

START = 1_795_330_680.0  # seconds since 1970
TIMEOUT, MARGIN = 30.0, 12.0  # seconds, of the function
VISIBILITY = 600.0  # seconds, the queue's
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
class Played:
    """The queue, the clock, the bus and the function. ``fault`` may raise whenever the bus is called, and take time."""

    mappers: Mappers
    fault: Callable[["Played"], None] = lambda _: None
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
        """As the tailer sends, at the end of its lane."""
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
        """At most ten messages of groups of which none is in flight, in order; those that were received too often are gone."""
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
        """One invocation of a fresh process: what it answers is deleted, and nothing if it does not."""
        self.invocations += 1
        self.killed = False
        self.end = self.now + TIMEOUT
        publisher = EventBridgePublisher(ClassicBus(self, "b"), sleep=self.sleep)
        forwarder = Forwarder(
            mappers=self.mappers,
            publisher=StrictOrderPublisher(publisher) if self.block else publisher,
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
        """The process ends. What Python still does on its way out reaches nobody."""
        self.killed = True
        raise Killed

    def put_events(self, Entries: Sequence[Any], **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """A boto3 ``events`` client."""
        self.sleep(CALL)
        self.fault(self)
        for entry in Entries:
            told = json.loads(entry["Detail"])["metadata"]
            self.accepted.append((told["document"].rpartition("/")[2], told["sequence"]))
        self.last_accepted = self.now
        return {"Entries": [{"EventId": "1"} for _ in Entries]}

    def run(self, until: float = float("inf"), invocations: int = 100_000) -> None:
        """Until the queue is empty or that time has come."""
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
        """A document's events arrived for the first time in the order of its changes."""
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
