"""
The Lambda function behind a DynamoDB stream: the same events, by the same mappers, as for a document's change.

The mapping must answer to ``ReportBatchItemFailures`` and the stream show new and old images. A shard is read in order, so the
first record that fails is answered and comes again with everything behind it. Watermarks do not apply: Lambda keeps the place
in the stream, and a repeat carries the ids it had.

A stream keeps its records for a day. ``FORWARDER_ON_OUTAGE`` says what happens while the bus does not answer: ``wait`` (the
default) leaves them in the stream, in order; ``park`` sends them to the parking queue, which keeps them for fourteen days.
From there redrive publishes them, perhaps behind newer ones of their item, and then with ``late: true``.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.app import forwarder, time_left
from lambda_forwarder.dynamodb.records import Record, UnreadableRecord, read
from lambda_forwarder.errors import BusGone, Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.metrics.emf import shown
from lambda_forwarder.model.parked import Parked, unmapped, unreadable
from lambda_forwarder.parking.poison import from_on
from lambda_forwarder.partial import unfinished
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.settings import StreamSettings, read_settings
from tailrace.change import Change
from tailrace.events import DomainEvent
from tailrace.message import ChangeMessage
from tailrace.wire.message import UnreadableMessage

RUN_COUNT = 100  # records that are published together
PARKING_SHARE = 1 / 3  # of an invocation's time, to park what the bus did not take in the rest of it

log = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """
    Forward the records of one DynamoDB event; answer from which of them on the stream must hand them over again.

    Raises:
        ForwarderError: the first record failed already, so all of them come again. It counts among the function's errors.
    """
    through = stream_forwarder()
    with shown(through.forwarder.metrics):
        failed = through.forward(event["Records"], time_left(context))
    return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}


@cache
def stream_forwarder() -> "StreamForwarder":
    """
    The one that the environment asks for; made once.

    Raises:
        Misconfigured: all that is wrong.
    """
    return StreamForwarder(
        forwarder=forwarder(StreamSettings), park_on_outage=read_settings(StreamSettings).on_outage == "park"
    )


@dataclass(frozen=True, kw_only=True)
class Run:
    """Records that are published together: changes of one stream and generation, or one record that is none."""

    records: Sequence[Record]
    message: ChangeMessage | None = None
    error: UnreadableRecord | None = None

    def numbered(self, sequence: int) -> Record:
        """The record of the change with this number."""
        changes = self.message.changes if self.message else ()
        found = (record for record, change in zip(self.records, changes, strict=False) if change.sequence == sequence)
        return next(found, self.records[0])


@dataclass(frozen=True, kw_only=True)
class StreamForwarder:
    """Forwards batches of stream records through a forwarder. With ``park_on_outage``, what the bus does not take is parked."""

    forwarder: Forwarder
    park_on_outage: bool = False
    now: Callable[[], float] = time.time

    def forward(self, records: Sequence[Record], time_left: TimeLeft) -> str | None:
        """
        Return the SequenceNumber of the first record that was not dealt with; nothing where all were.

        Raises:
            ForwarderError: that is the very first one.
            BusGone: all of them come again.
        """
        done = Counter(records=0, events=0, deduplicated=0, parked=0)
        failed: Record | None = None
        parking = time_left() * PARKING_SHARE if self.park_on_outage else 0.0
        for run in runs(records, self.now()):
            try:
                done.update(self._publish(run, time_left, lambda: time_left() - parking))
            except Exception as error:
                failed = _first_failed(error, run, records)
                self.forwarder.metrics.failed(run.message.stream if run.message else "", len(records) - records.index(failed))
                if failed is records[0] or _number(failed) is None:
                    raise
                extra = {"action": "record_failed", "event_id": failed.get("eventID"), "error": type(error).__name__}
                log.warning("a record failed: %s", error, extra=extra)
                break
        log.info("forwarded", extra={"action": "batch_forwarded", **done, "failed": len(records) - done["records"]})
        return _number(failed) if failed else None

    def _publish(self, run: Run, time_left: TimeLeft, publishing: TimeLeft) -> Counter[str]:
        """Return only when every event of the run was accepted, or its changes are parked with the reason."""
        deadline.check(time_left, "the record was begun")
        done = Counter(records=len(run.records))
        if run.message is None:
            self.forwarder.set_aside([_foreign(record, run.error) for record in run.records], time_left)
            return done + Counter(parked=len(run.records))
        try:
            return done + self.forwarder.publish(run.message, publishing)
        except Unavailable as error:
            if not self.park_on_outage:
                raise
            log.warning(
                "the bus is unavailable; its changes are parked, as FORWARDER_ON_OUTAGE says: %s",
                error,
                extra={"action": "outage_parked", "changes": len(run.records)},
            )
            left = from_on(run.message, unfinished(error, run.message))
            parked = [postponed(change, run.message, error) for change in left]
            self.forwarder.keep(parked, time_left)
            return done + Counter(parked=len(parked))


def runs(records: Sequence[Record], arrived: float) -> Iterator[Run]:
    """
    The records in order, as many together as may be. ``arrived`` in seconds since 1970.

    Raises:
        Misconfigured: the stream does not show both images.
    """
    gathered: list[tuple[Record, ChangeMessage]] = []
    for record in records:
        try:
            message = read(record, arrived)
        except UnreadableRecord as error:
            yield from _gathered(gathered)
            gathered = []
            yield Run(records=(record,), error=error)
            continue
        if gathered and (len(gathered) == RUN_COUNT or _place(gathered[0][1]) != _place(message)):
            yield from _gathered(gathered)
            gathered = []
        gathered.append((record, message))
    yield from _gathered(gathered)


def postponed(change: Change, message: ChangeMessage, error: Unavailable) -> Parked:
    """A change whose events the bus did not accept while there was time. Nothing is wrong with it."""
    parked = unmapped(change, message, _outage, error)
    return replace(parked, mapper="", stack=(), remedy="redrive once the bus is available again; there is nothing to fix")


def _gathered(gathered: Sequence[tuple[Record, ChangeMessage]]) -> Iterator[Run]:
    if gathered:
        changes = tuple(change for _, message in gathered for change in message.changes)
        yield Run(records=[record for record, _ in gathered], message=replace(gathered[0][1], changes=changes))


def _first_failed(error: Exception, run: Run, records: Sequence[Record]) -> Record:
    if isinstance(error, BusGone):
        return records[0]
    return run.numbered(unfinished(error, run.message)) if run.message else run.records[0]


def _number(record: Record) -> str | None:
    """By which Lambda knows a record. It may be missing in one that is none of DynamoDB's: then all of them come again."""
    image = record.get("dynamodb")
    number = image.get("SequenceNumber") if isinstance(image, dict) else None
    return number if isinstance(number, str) else None


def _place(message: ChangeMessage) -> tuple[str, int]:
    return message.stream, message.generation


def _foreign(record: Record, error: UnreadableRecord | None) -> Parked:
    """A record that we cannot read, as it came."""
    name = record.get("eventID") or record.get("eventSourceARN") or "dynamodb"
    try:
        body = json.dumps(record)  # which writes whatever Lambda read
    except RecursionError:  # but for what is nested almost too deeply to be read: then its place is kept
        body = json.dumps({field: value for field, value in record.items() if not isinstance(value, dict | list)})
    return unreadable({"body": body, "messageId": str(name), "attributes": {}}, UnreadableMessage(str(error)))


def _outage(_: Change) -> DomainEvent | None:
    """Stands where a parked change names its mapper, so that one parked for an outage has an id of its own. Tells nothing."""
    return None
