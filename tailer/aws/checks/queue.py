"""The queue. Nothing is sent to it and nothing received."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from typing import Any

from botocore.exceptions import ClientError

from tailer.aws.checks.access import Clients, allowed
from tailer.aws.errors import aws_errors
from tailer.aws.remedies import NETWORK, ROLE
from tailer.checks import Check, Finding, clock_difference, fail, ok, skip, warn
from tailrace.aws.queues import losses, too_small
from tailrace.wire.message import MESSAGE_LIMIT

_PARALLEL = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}  # lanes are sent in parallel
_EMPTY = {"AWS.SimpleQueueService.EmptyBatchRequest", "EmptyBatchRequest", "InvalidParameterValue", "ValidationError"}
_SETTING = "TAILER_QUEUE_URL"
RECEIVES = 1_000  # the largest maxReceiveCount, SQS; the forwarder keeps every outage below it

Attributes = Mapping[str, str]


class Queue:
    """The queue at ``url``. Its attributes are read once."""

    def __init__(self, url: str, clients: Clients, *, now: Callable[[], datetime]) -> None:
        self.url = url
        self._clients = clients
        self._now = now

    def checks(self) -> list[Check]:
        check = partial(
            Check,
            outage=f"check that SQS is reachable from here: {NETWORK}",
            mistake=f"compare TAILER_QUEUE_URL with aws sqs list-queues, and AWS_REGION; {ROLE}",
        )
        exists = check(name="queue.exists", run=self.exists, at_start=self.exists)
        check = partial(check, needs=("queue.exists",))
        return [
            exists,
            check(name="aws.clock", run=self.clock),
            check(name="queue.fifo", run=self.fifo, at_start=self.fifo),
            check(name="queue.size", run=self.size, at_start=self.size),
            check(name="queue.encryption", run=self.encryption),
            check(
                name="queue.send",
                run=self.send,
                mistake="allow the task's role sqs:SendMessage on it, and the use of its KMS key",
            ),
            check(name="queue.dead-letters", run=self.dead_letters),
        ]

    @cached_property
    def response(self) -> Mapping[str, Any]:
        with aws_errors(_SETTING, self.url):
            response: Mapping[str, Any] = self._clients("sqs").get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        return response

    @property
    def attributes(self) -> Attributes:
        attributes: Attributes = self.response["Attributes"]
        return attributes

    def exists(self) -> Finding:
        """Check that the queue exists; the finding shows how many messages wait in it."""
        return ok(f"{self.attributes['QueueArn']}, {waiting(self.attributes)} messages wait")

    def clock(self) -> Finding:
        """Compare our clock with AWS's. AWS refuses calls that are signed five minutes off."""
        if not (date := self.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")):
            return skip("the response has no date")
        return clock_difference("the clock of AWS", (parsedate_to_datetime(date) - self._now()).total_seconds())

    def fifo(self) -> Finding:
        """Check that the queue keeps order, and accepts lanes in parallel."""
        if not _is_fifo(self.attributes):
            found = f"{_SETTING}: {self.url} is not a FIFO queue, and only FIFO keeps changes in order"
            return fail(found, "create a FIFO queue, and set TAILER_QUEUE_URL to it")
        wrong = {name: self.attributes.get(name, "unset") for name in _PARALLEL}
        if wrong != _PARALLEL:
            found = f"{_SETTING}: {self.url} is FIFO, but with {_shown(wrong)} its lanes are not sent in parallel"
            return warn(found, f"set {_shown(_PARALLEL)}")
        return ok("FIFO, in high-throughput mode")

    def size(self) -> Finding:
        """Check that the queue accepts the largest message of a tailer."""
        if problem := too_small(self.attributes):
            found, _, remedy = problem.partition(": ")
            return fail(f"{_SETTING}: {self.url} {found}", remedy)
        return ok(f"takes messages of {MESSAGE_LIMIT} bytes")

    def encryption(self) -> Finding:
        """Check that messages are encrypted at rest."""
        if key := self.attributes.get("KmsMasterKeyId"):
            return ok(f"with the KMS key {key}")
        if self.attributes.get("SqsManagedSseEnabled") == "true":
            return ok("with SQS's own keys")
        return warn("its messages are not encrypted at rest", "set SqsManagedSseEnabled=true, or a KMS key")

    def send(self) -> Finding:
        """Check that this process may send: SQS refuses a call without a message as empty if it may, else as forbidden."""
        with aws_errors(_SETTING, self.url):
            try:
                self._clients("sqs").send_message_batch(QueueUrl=self.url, Entries=[])
            except ClientError as error:
                if error.response["Error"].get("Code") not in _EMPTY:
                    raise
        return ok("allowed, as far as an empty call can show")

    def dead_letters(self) -> Finding:
        """Check that a message that nobody can process goes to a dead-letter queue, and that the queue is empty."""
        if not (policy := self.attributes.get("RedrivePolicy")):
            return warn(
                "no dead-letter queue: a message that keeps failing is lost when its retention ends", "set a RedrivePolicy"
            )
        redrive = json.loads(policy)
        arn, receives = redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])
        name = arn.rpartition(":")[2]
        attributes = self.other(f"{self.url.rpartition('/')[0]}/{name}", arn)
        if not _is_fifo(attributes):
            return fail(f"{name} is a standard queue, which keeps no order", "set the RedrivePolicy to a FIFO queue")
        if finding := rejection_reason(name, attributes):
            return finding
        if depth := waiting(attributes):
            return warn(
                f"{name} holds {depth} messages",
                "see why in the forwarder's log; then redrive them: docs/operations/redrive.md",
            )
        if receives < RECEIVES:
            return warn(
                f"a message leaves its lane for {name} after {receives} receives: an outage breaks the order",
                f"set maxReceiveCount to {RECEIVES} in the queue's RedrivePolicy",
            )
        return ok(f"{name} is empty")

    def other(self, url: str, arn: str) -> Attributes:
        """Return the attributes of another queue; raise ``NotChecked`` if this process may not read them."""
        with allowed(f"sqs:GetQueueAttributes on {arn}", _SETTING, url):
            response = self._clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        attributes: Attributes = response["Attributes"]
        return attributes


def rejection_reason(name: str, attributes: Attributes) -> Finding | None:
    """Return what is wrong with a queue that keeps unpublished changes; None if nothing is."""
    if problem := too_small(attributes):
        found, _, remedy = problem.partition(": ")
        return fail(f"{name} {found}", remedy)
    found, _, remedy = next(losses(attributes), "").partition(": ")
    return warn(f"{name} {found}", remedy) if found else None


def waiting(attributes: Attributes) -> int:
    """Return the number of messages in the queue, with those that a consumer has received."""
    return sum(int(attributes.get(f"ApproximateNumberOfMessages{which}", 0)) for which in ("", "NotVisible"))


def _is_fifo(attributes: Attributes) -> bool:
    return attributes.get("FifoQueue") == "true"


def _shown(attributes: Attributes) -> str:
    return " and ".join(f"{name}={value}" for name, value in attributes.items())
