"""The queue: there, FIFO, for large messages, ours to send to, and with somewhere to put what nobody can handle."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from tailer.aws.errors import aws_errors
from tailer.doctor.aws import Clients, allowed, clock
from tailer.doctor.finding import Verdict, fail, ok, warn
from tailer.preflight import PARALLEL, fifo, not_parallel
from tailrace.aws.queues import losses, too_small
from tailrace.wire.message import MESSAGE_LIMIT

_EMPTY = {"AWS.SimpleQueueService.EmptyBatchRequest", "EmptyBatchRequest", "InvalidParameterValue", "ValidationError"}
_SETTING = "TAILER_QUEUE_URL"
RECEIVES = 1_000  # the largest maxReceiveCount, SQS; the forwarder keeps every outage below it


class Queue:
    """One queue. Nothing is sent to it and nothing received."""

    def __init__(self, url: str, clients: Clients, *, now: Callable[[], datetime]) -> None:
        self.url = url
        self._clients = clients
        self._now = now
        self._response: Mapping[str, Any] = {}

    @property
    def attributes(self) -> Mapping[str, str]:
        """As SQS tells them, once ``exists`` has asked."""
        attributes: Mapping[str, str] = self._response.get("Attributes", {})
        return attributes

    def exists(self) -> Verdict:
        """Whether it is there, and how much waits in it."""
        with aws_errors(_SETTING, self.url):
            self._response = self._clients("sqs").get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        return ok(f"{self.attributes['QueueArn']}, {waiting(self.attributes)} messages wait")

    def clock(self) -> Verdict:
        """AWS's clock beside ours, by the answer of ``exists``."""
        return clock(self._response, self._now())

    def fifo(self) -> Verdict:
        """Whether it keeps order, and lets lanes go in parallel."""
        if not fifo(self.attributes):
            return fail("a standard queue, which keeps no order", "create a FIFO queue, and set TAILER_QUEUE_URL to it")
        if wrong := not_parallel(self.attributes):
            return warn(f"FIFO, but {_said(wrong)}", f"create it with {_said(PARALLEL)}")
        return ok("FIFO, in high-throughput mode")

    def size(self) -> Verdict:
        """Whether a message may be as large as the tailer makes one."""
        if problem := too_small(self.attributes):
            found, _, remedy = problem.partition(": ")
            return fail(found, remedy)
        return ok(f"takes messages of {MESSAGE_LIMIT} bytes")

    def encryption(self) -> Verdict:
        """Whether what waits is encrypted."""
        if key := self.attributes.get("KmsMasterKeyId"):
            return ok(f"with the KMS key {key}")
        if self.attributes.get("SqsManagedSseEnabled") == "true":
            return ok("with SQS's own keys")
        return warn("its messages are not encrypted at rest", "set SqsManagedSseEnabled=true, or a KMS key")

    def send(self) -> Verdict:
        """
        Whether we may send, as far as a call without a message can tell: SQS refuses it either as empty, which is good, or as
        forbidden.
        """
        with aws_errors(_SETTING, self.url):
            try:
                self._clients("sqs").send_message_batch(QueueUrl=self.url, Entries=[])
            except ClientError as error:
                if error.response["Error"].get("Code") not in _EMPTY:
                    raise
        return ok("allowed, as far as an empty call can show")

    def dead_letters(self) -> Verdict:
        """Whether a message that nobody can handle ends somewhere, and whether one did."""
        if not (policy := self.attributes.get("RedrivePolicy")):
            return warn(
                "no dead-letter queue: a message that keeps failing is lost when its retention ends", "set a RedrivePolicy"
            )
        redrive = json.loads(policy)
        arn, receives = redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])
        name = arn.rpartition(":")[2]
        attributes = self.other(f"{self.url.rpartition('/')[0]}/{name}", arn)
        if not fifo(attributes):
            return fail(f"{name} is a standard queue, which keeps no order", "set the RedrivePolicy to a FIFO queue")
        if verdict := rejection_reason(name, attributes):
            return verdict
        if depth := waiting(attributes):
            return warn(f"{name} holds {depth} messages", "see why in the forwarder's log; then redrive them: docs/redrive.md")
        if receives < RECEIVES:
            return warn(
                f"a message leaves its lane for {name} after {receives} receives: an outage breaks the order",
                f"set maxReceiveCount to {RECEIVES} in the queue's RedrivePolicy",
            )
        return ok(f"{name} is empty")

    def visibility(self, seconds: int) -> Verdict:
        """Whether a message stays hidden for as long as the function that handles it may take."""
        hidden = int(self.attributes["VisibilityTimeout"])
        found = f"{hidden} s, for a function that may take {seconds} s"
        if hidden < seconds:
            return fail(found, f"set the queue's VisibilityTimeout to {6 * seconds}")
        return ok(found) if hidden >= 6 * seconds else warn(found, f"set the queue's VisibilityTimeout to {6 * seconds}")

    def other(self, url: str, arn: str) -> Mapping[str, str]:
        """
        The attributes of another queue.

        Raises:
            NotAllowed: we may not ask.
        """
        with allowed(f"sqs:GetQueueAttributes on {arn}", _SETTING, url):
            response = self._clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        attributes: Mapping[str, str] = response["Attributes"]
        return attributes


def rejection_reason(name: str, attributes: Mapping[str, str]) -> Verdict | None:
    """What is wrong with a queue that keeps what could not be published; nothing where it is as it should be."""
    if problem := too_small(attributes):
        found, _, remedy = problem.partition(": ")
        return fail(f"{name} {found}", remedy)
    found, _, remedy = next(losses(attributes), "").partition(": ")
    return warn(f"{name} {found}", remedy) if found else None


def waiting(attributes: Mapping[str, str]) -> int:
    """Messages in the queue, those in somebody's hands included."""
    return sum(int(attributes.get(f"ApproximateNumberOfMessages{which}", 0)) for which in ("", "NotVisible"))


def _said(attributes: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in attributes.items())
