"""
``python -P -m benchmarks.redriving``: how much memory redrive takes for a backlog, of which all is published or all stays.

The backlog makes its messages as they are taken, each with its own document and receipt, so that it takes no memory itself.
"""

import argparse
import resource
import subprocess
import sys
from collections.abc import Sequence

from examples.payments.events import MAPPERS
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryParking
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import AGAIN, Parked
from lambda_forwarder.parking.sqs import body
from lambda_forwarder.ports import Published, TimeLeft
from lambda_forwarder.redriving.queues import parking_queue
from lambda_forwarder.redriving.redriver import Redriver
from tailrace.change import Change
from tailrace.wire.change import Namespace
from tailrace.wire.message import encode_change, pack

SIZES = 1_000, 100_000, 400_000  # messages
RECEIPT = 400  # characters, about SQS's
AT_ONCE = 10  # messages, SQS, one call


class Backlog:
    """A backlog of parked changes, each of another document."""

    def __init__(self, count: int) -> None:
        self._left = count

    def take(self, count: int, seconds: float) -> Sequence[Delivery]:  # noqa: ARG002 - nothing comes back
        """See ``Backlog``."""
        numbers = range(self._left, max(0, self._left - min(count, AT_ONCE)), -1)
        self._left -= len(numbers)
        return [Delivery(id=f"{n:036}", group=f"{n}", body=_parked(n), receipt=f"{n:0{RECEIPT}}") for n in numbers]

    def remove(self, waiting: Sequence[Delivery], time_left: TimeLeft) -> None:
        """See ``Backlog``."""

    def give_back(self, waiting: Sequence[Delivery], time_left: TimeLeft) -> None:
        """See ``Backlog``."""


class Bus:
    """Accepts every event and stores none."""

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:  # noqa: ARG002
        """See ``Publisher``."""
        return Published()


def main() -> int:
    """Print the peak RSS of a process for each size."""
    parser = argparse.ArgumentParser(prog="python -P -m benchmarks.redriving", description=__doc__)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    if one := parser.parse_args().one:
        _one(one[0], int(one[1]))
        return 0
    for what in ("published", "stays"):
        for count in SIZES:
            command = [sys.executable, "-m", "benchmarks.redriving", "--one", what, str(count)]
            subprocess.run(command, check=True)
    return 0


def _one(what: str, count: int) -> None:
    forwarder = Forwarder(mappers=MAPPERS if what == "published" else {}, publisher=Bus(), parking=MemoryParking())
    report = Redriver(forwarder=forwarder, queues=[parking_queue(Backlog(count))]).redrive(lambda: 900.0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    done = f"{report.published:,} events, {report.left:,} left"
    sys.stdout.write(f"{count:>7,} messages, all {what}: {done}; peak RSS {peak:.0f} MB\n")


def _parked(number: int) -> str:
    document = {"_id": f"{number:024x}", "status": "created", "subscriptionId": "sub-1", "created": "2026-11-22T06:58:00.123Z"}
    change = Change(
        id=f"82{number:040X}",
        sequence=number,
        operation_type="insert",
        ns=Namespace(db="payments", coll="payments"),
        cluster_time="1795330680.1",
        document_key={"_id": document["_id"]},
        full_document=document,
    )
    message = pack(stream="payments", generation=1, lane=number % 128, changes=[encode_change(change)])
    item = Parked(id=str(number), reason="boom", remedy=AGAIN, document=change.document, body=message)
    return body(item).decode()


if __name__ == "__main__":
    sys.exit(main())
