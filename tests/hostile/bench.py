"""A queue with a function of 512 MB, and the outcome of a message that is sent there beside an innocent one."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from devstack import DevStack
from devstack.resources import BUS, SOURCE
from tailrace.dev.resources import CLAIM_BUCKET, TABLE
from tests.hostile.arrivals import Arrivals
from tests.hostile.function import Function, Response
from tests.hostile.mappers import INNOCENT, MESSAGES
from tests.hostile.mapping import Mapping
from tests.hostile.memory_group import MB, MemoryGroup, unavailable
from tests.hostile.outcome import PUBLISHED, Outcome
from tests.hostile.records import HostileRecord, record
from tests.hostile.sent import Message, Sent, change, envelope

LIMIT = 512 * MB  # bytes, of a function and of a task
ARRIVAL_SECONDS = 120.0  # seconds, after which missing changes count as lost
HANDLER = "lambda_forwarder.handlers.sqs.handler"
STREAM_HANDLER = "lambda_forwarder.handlers.dynamodb.handler"
STREAM_INVOCATIONS = 5  # invocations with repeated records
INNOCENT_RECORDS = record(1), record(3)
INNOCENTS = "innocents"  # the stream of the innocent messages


class Bench:
    """The dev stack with its own function. Use as a context manager."""

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self.stack = undo.enter_context(DevStack(forwarder=False))
            self._undo = undo
            self.arrivals = Arrivals(stack=self.stack)
            self._queue_url = self.stack.resources.queue_url
            log = self.stack.workspace.folder / "function.log"
            self.function = Function(HANDLER, self._settings(), log, self.group())
            undo.callback(self.function.stop)
            self.behind_stream = Function(STREAM_HANDLER, self._settings(), log, self.group())
            undo.callback(self.behind_stream.stop)
            self._sqs = self.stack.aws("sqs")
            self._sqs.set_queue_attributes(QueueUrl=self._queue_url, Attributes={"VisibilityTimeout": "600"})
            self.mapping = Mapping(self._sqs, self._queue_url, self.function)
            self._innocents = 0
            self.begin()
            self._exit = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def begin(self) -> None:
        """Do more at the start, in a subclass."""

    def received(self, messages: Sequence[dict[str, Any]]) -> None:
        """Handle the messages that the function received, in a subclass."""

    def group(self) -> Any:
        """Return a function that runs a command within the memory limit, if this machine can."""
        return list if unavailable() else self._undo.enter_context(MemoryGroup(LIMIT)).command

    def send(self, number: int, message: Message) -> Outcome:
        """Send an entry and an innocent message after it, and follow both to their outcomes."""
        sent = message.make(f"m{number}")
        for key, content in sent.objects.items():
            self.stack.aws("s3").put_object(Bucket=CLAIM_BUCKET, Key=key, Body=content)
        self._innocents += 1
        innocent = (INNOCENTS, self._innocents)
        seen = self.arrivals.seen()
        self._send(sent, sent.group or f"m{number}.17", f"m{number}")
        body = envelope(INNOCENTS, [change(self._innocents)], lane=number % 128)
        self._send(Sent(body=body), f"{INNOCENTS}.{number % 128}", f"i{self._innocents}")
        peak = kills = invocations = 0
        waited = ""
        end = time.monotonic() + ARRIVAL_SECONDS
        while time.monotonic() < end and (self._waiting() or not waited):
            if response := self.pump():
                invocations += 1
                peak, kills = max(peak, response.peak), kills + response.killed
            if not waited and self.arrivals.outcome(innocent) == PUBLISHED:
                waited = f"invocation {invocations}"
        self._sqs.purge_queue(QueueUrl=self._queue_url)
        return Outcome(changes=self.arrivals.since(seen, INNOCENTS), function=peak, kills=kills, innocent=waited)

    def stream(self, number: int, entry: HostileRecord) -> Outcome:
        """Invoke the function for a DynamoDB stream with an entry's record between two innocent ones, until all are done."""
        records = [INNOCENT_RECORDS[0], record(2, MESSAGES, entry.fields), INNOCENT_RECORDS[1]]
        seen = self.arrivals.seen()
        peak = kills = invocations = 0
        while records and invocations < STREAM_INVOCATIONS:
            response = self.behind_stream.invoke({"Records": records})
            peak, kills, invocations = max(peak, response.peak), kills + response.killed, invocations + 1
            if response.result is not None:
                failed = [one["itemIdentifier"] for one in response.result["batchItemFailures"]]
                records = records[_place(records, failed) :]
        self.arrivals.take()
        innocents = f"dynamodb.{INNOCENT}"
        done = len([place for place in self.arrivals.published[seen[0] :] if place[0] == innocents])
        waited = f"invocation {invocations}" if done == len(INNOCENT_RECORDS) else ""
        return Outcome(changes=self.arrivals.since(seen, innocents), function=peak, kills=kills, innocent=waited)

    def pump(self) -> Response | None:
        """Invoke once, and read the arrivals."""
        received, response = self.mapping.pump()
        self.received(received)
        self.arrivals.take()
        return response

    def _send(self, sent: Sent, group: str, name: str) -> None:
        self._sqs.send_message(
            QueueUrl=self._queue_url, MessageBody=sent.body, MessageGroupId=group, MessageDeduplicationId=name
        )

    def _waiting(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=names)["Attributes"]
        return sum(map(int, found.values()))

    def _settings(self) -> dict[str, str]:
        return self.stack.aws.environment | {
            "FORWARDER_EVENT_BUS": BUS,
            "FORWARDER_SOURCE": SOURCE,
            "FORWARDER_PARKING_QUEUE_URL": self.stack.resources.parking_url,
            "FORWARDER_WATERMARKS": TABLE,
            "FORWARDER_CLAIM_BUCKET": CLAIM_BUCKET,
            "FORWARDER_MAPPERS": "tests.hostile.mappers:MAPPERS",
            "TMPDIR": str(Path(self.stack.workspace.folder)),
        }


def _place(records: Sequence[dict[str, Any]], failed: Sequence[str]) -> int:
    """Return the index of the first failed record, or the number of records."""
    numbers = [(one["dynamodb"] or {}).get("SequenceNumber") for one in records]
    return min((numbers.index(number) for number in failed), default=len(records))
