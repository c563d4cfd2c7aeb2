"""Every change is accepted, in order within its lane, whatever SQS responds."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from msgspec.structs import replace

from devstack import DevStack
from tailer.aws.lanes import LaneOf, lanes
from tailer.aws.sqs_sink import CALLS_AT_ONCE, STOP_LIMIT, SqsSink
from tailer.errors import Misconfigured, Rejected, Unavailable
from tailer.metrics.prometheus import Metrics
from tailer.poison import OnPoison
from tailrace.dev.aws import REGION
from tailrace.wire.change import Change
from tailrace.wire.message import CHANGES_LIMIT
from tests.conformance.sink import Received, SinkConformance
from tests.queue import received
from tests.samples.changes import a_change, changes_of

Response = Callable[[dict[str, Any]], tuple[int, dict[str, Any]] | None]
"""What stands between the client and the queue: given the call, an answer of its own, or nothing to let it pass."""


class InterceptedClient:
    """
    A real boto3 client of the emulator. It records every SendMessageBatch, and a test may respond in place of the emulator.
    """

    def __init__(self, stack: DevStack) -> None:
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        self.client = boto3.session.Session().client(
            "sqs",
            endpoint_url=stack.emulator.endpoint_url,
            region_name=REGION,
            aws_access_key_id=stack.emulator.key,
            aws_secret_access_key=stack.emulator.key,
            config=config,
        )
        self.calls: list[list[dict[str, Any]]] = []
        self.response: Response = lambda _: None
        self.client.meta.events.register("before-send.sqs.SendMessageBatch", self._before_send)

    def _before_send(self, request: Any, **_: Any) -> AWSResponse | None:
        call = json.loads(request.body)
        self.calls.append(call["Entries"])
        given = self.response(call)
        if given is None:
            return None
        status, body = given
        response = AWSResponse(request.url, status, {"Content-Type": "application/x-amz-json-1.0"}, None)
        response._content = json.dumps(body).encode()
        return response


@pytest.fixture
def wire(stack: DevStack) -> InterceptedClient:
    return InterceptedClient(stack)


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def waits() -> list[str]:
    """The reasons for which the sink waited."""
    return []


def a_sink(wire: InterceptedClient, queue_url: str, stopping: threading.Event, lane_of: LaneOf, **other: Any) -> SqsSink:
    told = {"metrics": Metrics("payments"), "clock": time.monotonic, **other}
    return SqsSink(wire.client, queue_url, stream="payments", lane_of=lane_of, stopping=stopping, **told)


@pytest.fixture
def sink(wire: InterceptedClient, queue_url: str, stopping: threading.Event, waits: list[str]) -> SqsSink:
    return a_sink(wire, queue_url, stopping, lanes(8, "document"), waits=waits.append)


class TestSqsSink(SinkConformance):
    @pytest.fixture
    def sink(self, wire: InterceptedClient, queue_url: str, stopping: threading.Event) -> SqsSink:
        return a_sink(wire, queue_url, stopping, lanes(8, "document"), on_poison=OnPoison(stream="payments", park=False))

    @pytest.fixture
    def received(self, stack: DevStack, queue_url: str) -> Received:
        return lambda: received(stack, queue_url)


def assert_all_in_order(got: Sequence[Change], sent: Sequence[Change]) -> None:
    """Assert that every change arrived once, and each document's changes in order."""
    assert sorted(change.sequence for change in got) == [change.sequence for change in sent]
    for document in {change.document for change in sent}:
        of_document = [change.sequence for change in got if change.document == document]
        assert of_document == sorted(of_document)


def mixed_changes(count: int, documents: int = 40) -> list[Change]:
    """Build changes of several documents."""
    dice = random.Random(1)
    return [a_change(n, document_key={"_id": dice.randrange(documents)}) for n in range(1, count + 1)]


def fail_entries(numbers: Sequence[str], code: str, *, sender: bool = False) -> Response:
    """Respond 200 with these entries failed; no entry is stored, so all must be named."""

    def response(call: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        failed = [{"Id": i, "Code": code, "SenderFault": sender, "Message": "no"} for i in numbers]
        return 200, {"Successful": [], "Failed": failed}

    return response


def test_thousands_of_changes_arrive_in_order(stack: DevStack, sink: SqsSink, queue_url: str) -> None:
    changes = mixed_changes(3000)
    sink.send(changes, 1)
    assert_all_in_order(received(stack, queue_url), changes)


def test_call_never_has_a_lane_twice(wire: InterceptedClient, sink: SqsSink) -> None:
    """A later entry might be accepted after an earlier one of its group failed."""
    sink.send(mixed_changes(4 * CHANGES_LIMIT, documents=3), 1)
    assert max(len(call) for call in wire.calls) > 1
    for call in wire.calls:
        groups = [entry["MessageGroupId"] for entry in call]
        assert len(set(groups)) == len(groups)


def test_failed_entry_is_sent_again_before_later_ones(
    stack: DevStack, wire: InterceptedClient, sink: SqsSink, queue_url: str
) -> None:
    """A third of all entries fails at random."""
    dice = random.Random(7)
    queue = stack.aws("sqs")

    def response(call: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        lost = [entry for entry in call["Entries"] if dice.random() < 0.33]
        kept = [entry for entry in call["Entries"] if entry not in lost]
        good = queue.send_message_batch(QueueUrl=queue_url, Entries=kept)["Successful"] if kept else []
        failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False, "Message": "no"} for entry in lost]
        return 200, {"Successful": good, "Failed": failed}

    wire.response = response
    changes = mixed_changes(6 * CHANGES_LIMIT, documents=5)
    sink.send(changes, 1)
    assert_all_in_order(received(stack, queue_url), changes)


def test_throttled_calls_are_retried(stack: DevStack, wire: InterceptedClient, sink: SqsSink, queue_url: str) -> None:
    """Nothing is lost or repeated."""
    refusals = iter([(400, {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "slow down"})] * 3)
    wire.response = lambda _: next(refusals, None)
    sink.send(changes_of("a", 10), 1)
    assert len(wire.calls) == 4
    assert len(received(stack, queue_url)) == 10


def test_wait_is_reported_with_the_queues_error(wire: InterceptedClient, sink: SqsSink, waits: list[str]) -> None:
    """From the first refusal on."""
    sink.send([a_change()], 1)
    assert waits == []
    responses = iter([(503, {"__type": "ServiceUnavailable", "message": "come back later"})])
    wire.response = lambda _: next(responses, None)
    sink.send([a_change(2)], 1)
    [reason] = waits
    assert "come back later" in reason


def test_lost_response_repeats_nothing(stack: DevStack, wire: InterceptedClient, sink: SqsSink, queue_url: str) -> None:
    """The repeat has the same id, so SQS drops it."""
    queue, lost = stack.aws("sqs"), iter([True])

    def response(call: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if not next(lost, False):
            return None
        queue.send_message_batch(QueueUrl=queue_url, Entries=call["Entries"])
        return 503, {"__type": "ServiceUnavailable"}

    wire.response = response
    sink.send(changes_of("a", 10), 1)
    assert [change.sequence for change in received(stack, queue_url)] == list(range(1, 11))


def test_entry_missing_from_the_response_is_retried(
    stack: DevStack, wire: InterceptedClient, sink: SqsSink, queue_url: str
) -> None:
    silent: Iterator[tuple[int, dict[str, Any]]] = iter([(200, {"Successful": []})])
    wire.response = lambda _: next(silent, None)
    sink.send(changes_of("a", 3), 1)
    assert len(received(stack, queue_url)) == 3


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("InvalidMessageContents", Rejected),
        ("AWS.SimpleQueueService.NonExistentQueue", Misconfigured),
        ("AccessDenied", Misconfigured),
    ],
)
def test_permanent_error_is_not_retried(wire: InterceptedClient, sink: SqsSink, code: str, error: type[Exception]) -> None:
    """For an entry and for a call. The queue is named."""
    wire.response = fail_entries(["0"], code, sender=True)
    with pytest.raises(error, match="TAILER_QUEUE_URL"):
        sink.send(changes_of("a", 1), 1)
    wire.response = lambda _: (400, {"__type": code, "message": "no"})
    with pytest.raises(error, match="TAILER_QUEUE_URL"):
        sink.send(changes_of("a", 1), 1)
    assert len(wire.calls) == 2


def test_stopping_task_does_not_retry(wire: InterceptedClient, sink: SqsSink, stopping: threading.Event) -> None:
    """It must save and release in time. The checkpoint before the batch holds."""
    stopping.set()
    wire.response = lambda _: (500, {"__type": "InternalFailure"})
    with pytest.raises(Unavailable):
        sink.send(changes_of("a", 1), 1)
    assert len(wire.calls) == 1


def test_stopping_task_makes_no_further_failing_calls(
    stack: DevStack, wire: InterceptedClient, queue_url: str, stopping: threading.Event
) -> None:
    """Only the parallel calls of a round, so the stop takes a bounded time."""
    sink = a_sink(wire, queue_url, stopping, lanes(400, "document"))
    stopping.set()
    wire.response = lambda _: (500, {"__type": "InternalFailure"})
    with pytest.raises(Unavailable):
        sink.send(mixed_changes(2000, documents=2000), 1)
    assert len(wire.calls) <= 2 * CALLS_AT_ONCE


@pytest.mark.parametrize(("slow", "enough"), [(1.0, False), (0.0, True)])
def test_stopping_task_finishes_a_batch_that_is_soon_done(
    stack: DevStack, wire: InterceptedClient, queue_url: str, stopping: threading.Event, slow: float, enough: bool
) -> None:
    """All calls if they are quick, else as many as there is time for."""
    now = [1000.0]
    sink = a_sink(wire, queue_url, stopping, lanes(1, "stream"), clock=lambda: now[0])

    def response(_: dict[str, Any]) -> None:
        now[0] += slow

    wire.response = response
    changes = mixed_changes(10 * CHANGES_LIMIT)
    stopping.set()
    if enough:
        sink.send(changes, 1)
    else:
        with pytest.raises(Unavailable, match="the next task sends the rest"):
            sink.send(changes, 1)
    assert len(wire.calls) == (10 if enough else STOP_LIMIT + 1)
    assert [change.sequence for change in received(stack, queue_url)] == list(range(1, len(wire.calls) * CHANGES_LIMIT + 1))


def test_sink_gives_up_without_progress(wire: InterceptedClient, sink: SqsSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop resumes from the checkpoint, so a hanging batch takes a bounded time."""
    monkeypatch.setattr("tailer.aws.sqs_sink.RETRY_LIMIT", 1.5)
    monkeypatch.setattr(sink, "_clock", lambda: float(len(wire.calls)))
    wire.response = lambda _: (500, {"__type": "InternalFailure"})
    with pytest.raises(Unavailable):
        sink.send(changes_of("a", 1), 1)
    assert len(wire.calls) == 2


def test_repeated_batch_is_dropped_by_the_queue(stack: DevStack, sink: SqsSink, queue_url: str) -> None:
    """Another generation is not."""
    changes = changes_of("a", 5)
    for generation in (1, 1, 2):
        sink.send(changes, generation)
    assert [change.sequence for change in received(stack, queue_url)] == [1, 2, 3, 4, 5] * 2


def test_control_characters_arrive_unchanged(stack: DevStack, sink: SqsSink, queue_url: str) -> None:
    change = a_change(1, full_document={"text": "\u0000\u0001\ufffe\uffff\U0001f600"})
    sink.send([change], 1)
    assert received(stack, queue_url) == [change]


@pytest.mark.parametrize("documents", [1, 3])
def test_reduced_size_limit_of_the_queue_is_reported(stack: DevStack, sink: SqsSink, queue_url: str, documents: int) -> None:
    """With setting, queue and remedy, as at a start. After the fix the same changes are sent."""
    sqs, large = stack.aws("sqs"), random.Random(1).randbytes(300_000).hex()
    changes = [replace(a_change(n), document_key={"_id": str(n)}, full_document={"x": large}) for n in range(documents)]
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"MaximumMessageSize": "262144"})
    words = f"TAILER_QUEUE_URL: {queue_url} accepts messages of up to 262144 bytes only: set its MaximumMessageSize to 1048576"
    with pytest.raises(Misconfigured) as caught:
        sink.send(changes, 1)
    assert str(caught.value) == words
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"MaximumMessageSize": "1048576"})
    sink.send(changes, 1)
    assert len(received(stack, queue_url)) == documents


def test_too_long_call_names_the_remedy(stack: DevStack, wire: InterceptedClient, sink: SqsSink, queue_url: str) -> None:
    stack.aws("sqs").set_queue_attributes(QueueUrl=queue_url, Attributes={"MaximumMessageSize": "262144"})
    wire.response = lambda _: (400, {"__type": "AWS.SimpleQueueService.BatchRequestTooLong", "message": "no"})
    with pytest.raises(Misconfigured, match="set its MaximumMessageSize to 1048576"):
        sink.send([a_change()], 1)
