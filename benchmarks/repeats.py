"""
``python -P -m benchmarks.repeats``: what comes twice after kill -9 of the tailer, at the queue and at the consumer.

Tailers read a backlog, and with ``--live`` what an application writes meanwhile; all but the last are killed in the middle
of it. What the queue handed out is then published twice, by forwarders of the same code: one with its watermarks in a table,
one with FORWARDER_WATERMARKS=off.
"""

import argparse
import random
import sys
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from bson import ObjectId

from devstack import DevStack
from devstack.stack import COLLECTION, DATABASE
from examples.payments.events import MAPPERS
from lambda_forwarder.aws.table import Table
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.handlers.sqs import delivery
from lambda_forwarder.in_memory import MemoryParking
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.ports import Watermarks
from lambda_forwarder.publishing.buses import ClassicBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.watermarks.dynamodb import DynamodbWatermarks
from tailer.stores.dynamodb import DynamodbCheckpoints
from tailrace.dev.screen import Screen
from tailrace.dev.tailer import TailerProcess
from tailrace.message import unpack

STREAM = "payments"  # as the dev stack calls it
ATTRIBUTES = ["MessageGroupId", "MessageDeduplicationId"]
CHARACTERS = 4_000  # of a document: a batch of the tailer then holds about a thousand
BLOCK = 100  # documents in one write, at most
PAUSE = 0.25  # seconds between two live writes
WORK = 0.2, 3.0  # seconds that a tailer works before it is killed; it saves its checkpoint once a second
QUIET = 1.0  # seconds without a message: the queue is empty
AT_ONCE = 10  # messages, Lambda, a FIFO batch


class Arrived(NamedTuple):
    """How many events arrived, and how many of them were different."""

    events: int
    different: int

    @property
    def repeats(self) -> int:
        return self.events - self.different


class Queue:
    """Receives and keeps what the tailers sent."""

    def __init__(self, stack: DevStack) -> None:
        self._sqs, self._url = stack.aws("sqs"), stack.resources.queue_url
        self.deliveries: list[Delivery] = []
        self.sequences: list[int] = []

    def depth(self) -> int:
        """Return how many messages wait."""
        name = "ApproximateNumberOfMessages"
        response = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        return int(response["Attributes"][name])

    def drain(self) -> None:
        """Receive every waiting message."""
        end = time.monotonic() + QUIET
        while time.monotonic() < end:
            for message in self._sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=AT_ONCE, MessageSystemAttributeNames=ATTRIBUTES
            ).get("Messages", ()):
                record = {"messageId": message["MessageId"], "body": message["Body"], "attributes": message["Attributes"]}
                self.deliveries.append(delivery(record))
                self.sequences += (change.sequence for change in unpack(message["Body"]).changes)
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                end = time.monotonic() + QUIET


def main() -> int:
    """Print the results."""
    parser = argparse.ArgumentParser(prog="python -P -m benchmarks.repeats", description=__doc__)
    parser.add_argument("--changes", type=int, default=8_000, help="how long the backlog is (%(default)s)")
    parser.add_argument("--kills", type=int, default=5, help="how often a tailer is killed in it (%(default)s)")
    parser.add_argument("--live", action="store_true", help="write while the tailers run, instead of before")
    parser.add_argument("--seed", type=int, default=1, help="of the moments at which (%(default)s)")
    options = parser.parse_args()
    screen = Screen()
    with DevStack(forwarder=False, report=screen.step) as stack:
        queue = Queue(stack)
        again = _interrupted(screen, stack, queue, options)
        different = len(set(queue.sequences))
        screen.line(f"the queue: {len(queue.sequences):,} changes, {different:,} of them different")
        screen.line(f"           of {again:,} that were sent again, SQS dropped {again - len(queue.sequences) + different:,}")
        table = DynamodbWatermarks(Table(stack.aws("dynamodb"), stack.resources.table))
        for name, watermarks in (("off", None), ("in a table", table)):
            arrived = _published(stack, queue.deliveries, watermarks)
            screen.line(f"watermarks {name}: the consumer got {arrived.events:,} events, {arrived.repeats:,} of them repeats")
    return 0


def _interrupted(screen: Screen, stack: DevStack, queue: Queue, options: argparse.Namespace) -> int:
    """Run tailers on the backlog; kill each but the last in the middle. Return how many changes were sent again."""
    chance, again = random.Random(options.seed), 0
    first = stack.start_tailer()
    first.wait_ready()
    first.stop()
    writer = threading.Thread(target=_write, args=(stack, options, random.Random(options.seed)))
    writer.start()
    if not options.live:
        screen.step(f"writing {options.changes:,} changes while no tailer runs")
        writer.join()
    for number in range(options.kills):
        if len(set(queue.sequences)) == options.changes:
            break
        _killed(stack.start_tailer(), queue, chance.uniform(*WORK))
        queue.drain()
        again += (uncovered := _uncovered(stack, queue))
        screen.step(f"kill -9, the {number + 1}.: {uncovered:,} changes in the queue are after the checkpoint")
    last = stack.start_tailer()
    writer.join()
    end = time.monotonic() + 120
    while len(set(queue.sequences)) < options.changes and time.monotonic() < end:
        queue.drain()
    last.stop()
    return again


def _write(stack: DevStack, options: argparse.Namespace, chance: random.Random) -> None:
    """Payments in blocks; live in blocks of any size, with pauses."""
    left = options.changes
    while left:
        count = min(left, chance.randint(1, BLOCK) if options.live else BLOCK)
        block = [
            {"_id": ObjectId(), "subscriptionId": "sub-1", "status": "created", "note": "x" * CHARACTERS} for _ in range(count)
        ]
        stack.mongo[DATABASE][COLLECTION].insert_many(block)
        left -= count
        if options.live:
            time.sleep(PAUSE)


def _killed(tailer: TailerProcess, queue: Queue, seconds: float) -> None:
    """So long after it has sent the first message to the queue, which was empty."""
    end = time.monotonic() + 60
    while queue.depth() == 0 and time.monotonic() < end:
        time.sleep(0.005)
    time.sleep(seconds)
    tailer.kill()


def _uncovered(stack: DevStack, queue: Queue) -> int:
    """Return how many different changes in the queue the next tailer will read again."""
    record = DynamodbCheckpoints(stack.aws("dynamodb"), stack.resources.table).read(STREAM)
    known = record.checkpoint.sequence if record and record.checkpoint else 0
    return len({sequence for sequence in queue.sequences if sequence > known})


def _published(stack: DevStack, deliveries: Sequence[Delivery], watermarks: Watermarks | None) -> Arrived:
    """Publish these messages as the function does, and count the events that arrive at the consumer."""
    publisher = EventBridgePublisher(ClassicBus(stack.aws("events"), stack.resources.bus))
    parking, source = MemoryParking(), stack.resources.source
    forwarder = Forwarder(mappers=MAPPERS, publisher=publisher, parking=parking, watermarks=watermarks, source=source)
    consumer, ids = stack.consumer(), list[str]()
    for begin in range(0, len(deliveries), AT_ONCE):
        failed = forwarder.forward(deliveries[begin : begin + AT_ONCE], lambda: 60.0)
        if failed or parking.parked:
            raise RuntimeError(f"{len(failed)} messages failed, {len(parking.parked)} changes were parked")
        while received := consumer.receive(wait=0):
            ids += (one.id for one in received)
    while received := consumer.receive(wait=2):
        ids += (one.id for one in received)
    return Arrived(events=len(ids), different=len(set(ids)))


if __name__ == "__main__":
    sys.exit(main())
