"""The doctor's checks of the queue, the claim bucket and this process's AWS identity."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from devstack import DevStack
from tailer.aws.checks.access import identity, quick_client
from tailer.aws.checks.claims import claims
from tailer.aws.checks.destinations import parking
from tailer.aws.checks.forwarder import Forwarder
from tailer.aws.checks.queue import Queue
from tailer.checks import NotChecked, State
from tailer.errors import Misconfigured
from tailrace.wire.message import MESSAGE_LIMIT
from tests.tailer.checked import Doctor

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class RefusingAws:
    """An AWS that raises the same error for every call."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, _: str) -> Any:
        return self

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(**_: object) -> Any:
            raise self._error

        return refuse


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Any")


def a_queue(stack: DevStack, url: str, **attributes: str) -> Queue:
    """Return the queue's checks with these attributes."""
    queue = Queue(url, stack.aws, now=lambda: datetime.now(UTC))
    assert queue.exists().state is State.OK
    queue.response = {**queue.response, "Attributes": {**queue.attributes, **attributes}}
    return queue


def test_missing_queue_fails_once(doctor: Doctor, queue_url: str) -> None:
    """Dependent checks are skipped. The setting and the queue are named, and the exit code is 2."""
    report = doctor(TAILER_QUEUE_URL=queue_url.replace(".fifo", "-gone.fifo"))
    assert report.failed == {"queue.exists"}
    assert "→ compare TAILER_QUEUE_URL with aws sqs list-queues, and AWS_REGION" in report["queue.exists"][1]
    assert report["queue.fifo"][0] == report["forwarder.bus"][0] == "skip"
    assert report.code == 2


def test_standard_queue_is_reported(stack: DevStack, fresh: str) -> None:
    """An emulator allows such a queue with a name in .fifo."""
    url = stack.aws("sqs").create_queue(QueueName=f"{fresh}-standard")["QueueUrl"]
    queue = Queue(url, stack.aws, now=lambda: NOW)
    queue.exists()
    verdict = queue.fifo()
    assert (verdict.state, verdict.exit_code) == (State.FAIL, 2)
    assert "is not a FIFO queue" in verdict.found


def test_correct_queue_passes(stack: DevStack, queue_url: str) -> None:
    queue = a_queue(stack, queue_url)
    looks = (queue.fifo, queue.size, queue.encryption, queue.send, queue.dead_letters, queue.clock)
    assert {look().state for look in looks} == {State.OK}
    assert f"{MESSAGE_LIMIT} bytes" in queue.size().found


@pytest.mark.parametrize(
    ("attributes", "look", "state", "words"),
    [
        ({"DeduplicationScope": "queue"}, Queue.fifo, State.WARN, "DeduplicationScope=queue"),
        ({"MaximumMessageSize": "262144"}, Queue.size, State.FAIL, "262144 bytes"),
        ({"SqsManagedSseEnabled": "false"}, Queue.encryption, State.WARN, "not encrypted"),
        ({"KmsMasterKeyId": "alias/tailrace"}, Queue.encryption, State.OK, "alias/tailrace"),
        ({"RedrivePolicy": ""}, Queue.dead_letters, State.WARN, "no dead-letter queue"),
    ],
)
def test_wrong_queue_attribute_is_reported(
    stack: DevStack, queue_url: str, attributes: dict[str, str], look: Any, state: State, words: str
) -> None:
    """One that would stop a stream fails; one that costs speed or safety is a warning."""
    verdict = look(a_queue(stack, queue_url, **attributes))
    assert verdict.state is state
    assert words in verdict.found


@pytest.mark.parametrize(("seconds", "state"), [(3, State.OK), (4, State.WARN), (19, State.FAIL)])
def test_visibility_timeout_is_six_times_the_functions(stack: DevStack, queue_url: str, seconds: int, state: State) -> None:
    """Less is a warning; less than once, and messages are received again while they are processed."""
    forwarder = Forwarder(a_queue(stack, queue_url), "", stack.aws)
    forwarder._configuration = {"Timeout": seconds}
    assert forwarder.visibility().state is state


def test_dead_letters_are_counted(stack: DevStack, queue_url: str, dead_letters_url: str) -> None:
    """And left in their queue."""
    stack.aws("sqs").send_message(QueueUrl=dead_letters_url, MessageBody="x", MessageGroupId="x", MessageDeduplicationId="x")
    for _ in range(2):
        verdict = a_queue(stack, queue_url).dead_letters()
        assert verdict.state is State.WARN
        assert "holds 1 messages" in verdict.found


OTHERS = {
    "small": ({"MaximumMessageSize": "262144"}, State.FAIL, "accepts messages of up to 262144 bytes only"),
    "forgetful": ({"MessageRetentionPeriod": "345600"}, State.WARN, "deletes a message after 4 days"),
    "passing on": ({"RedrivePolicy": "{}"}, State.WARN, "moves messages that are received often to another queue"),
    "as it should be": ({}, State.OK, "is empty"),
}


@pytest.mark.parametrize("which", ["dead letters", "parking"])
@pytest.mark.parametrize("form", OTHERS)
def test_other_queues_are_checked(
    stack: DevStack, queue_url: str, function: str, mapping: str, which: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A problem that would block a lane fails; one that loses messages later is a warning."""
    attributes, state, words = OTHERS[form]
    queue = a_queue(stack, queue_url)
    forwarder = Forwarder(queue, "", stack.aws)
    assert forwarder.mapping().state is State.OK
    forwarder.function()
    found = Queue.other
    monkeypatch.setattr(Queue, "other", lambda *given: {**found(*given), **attributes})
    verdict = queue.dead_letters() if which == "dead letters" else parking(forwarder)
    assert (verdict.state, words in verdict.found) == (state, True)
    assert bool(verdict.remedy) is (state is not State.OK)


def test_standard_dead_letter_queue_is_reported(stack: DevStack, queue_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps no order."""
    found = Queue.other
    monkeypatch.setattr(Queue, "other", lambda *given: {**found(*given), "FifoQueue": "false"})
    assert a_queue(stack, queue_url).dead_letters().state is State.FAIL


def test_low_receive_count_is_a_warning(stack: DevStack, queue_url: str, dead_letters_url: str) -> None:
    """In an outage messages would become dead letters and lose their order."""
    queue = a_queue(stack, queue_url)
    arn = json.loads(queue.attributes["RedrivePolicy"])["deadLetterTargetArn"]
    few = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 10})
    verdict = a_queue(stack, queue_url, RedrivePolicy=few).dead_letters()
    assert verdict.state is State.WARN
    assert "after 10 receives" in verdict.found
    assert "1000" in (verdict.remedy or "")


def test_checking_the_queue_sends_nothing(stack: DevStack, queue_url: str) -> None:
    assert a_queue(stack, queue_url).send().state is State.OK
    assert "0 messages wait" in a_queue(stack, queue_url).exists().found


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.EmptyBatchRequest", "EmptyBatchRequest"])
def test_refused_empty_batch_shows_the_permission(code: str) -> None:
    """In both protocols of SQS."""
    assert Queue("url", RefusingAws(refused(code)), now=lambda: NOW).send().state is State.OK


def test_denied_send_is_reported() -> None:
    with pytest.raises(Misconfigured, match=r"TAILER_QUEUE_URL.*denies this role access"):
        Queue("url", RefusingAws(refused("AccessDenied")), now=lambda: NOW).send()


def test_missing_optional_right_is_named() -> None:
    """The check is skipped."""
    with pytest.raises(NotChecked, match="sqs:GetQueueAttributes on arn:aws:sqs:eu-west-1:1:dlq"):
        Queue("url", RefusingAws(refused("AccessDenied")), now=lambda: NOW).other("other", "arn:aws:sqs:eu-west-1:1:dlq")


def test_clock_is_compared_with_any_response(stack: DevStack, queue_url: str) -> None:
    """A response without a date is no failure."""
    queue = a_queue(stack, queue_url)
    assert queue.clock().state is State.OK
    queue._now = lambda: NOW.replace(year=2020)
    assert queue.clock().state is State.WARN
    queue.response = {}
    assert queue.clock().state is State.SKIP


def test_bucket_is_written_under_the_streams_prefix(stack: DevStack) -> None:
    """The same small object each time."""
    for _ in range(2):
        assert claims(stack.resources.claim_bucket, "payments", stack.aws).run().state is State.OK
    found = stack.aws("s3").get_object(Bucket=stack.resources.claim_bucket, Key="payments/doctor.json")
    assert found["Body"].read() == b"{}"


def test_missing_bucket_is_reported(stack: DevStack) -> None:
    """No bucket is a choice."""
    with pytest.raises(Misconfigured, match="TAILER_CLAIM_BUCKET: nowhere does not exist"):
        claims("nowhere", "payments", stack.aws).run()
    assert claims("", "payments", stack.aws).run().state is State.SKIP


def test_identity_is_reported_where_it_can_be_read(stack: DevStack) -> None:
    """Missing credentials are a failure; an unreachable STS is none, since a tailer does not need it."""
    assert "arn:aws:" in identity(stack.aws).run().found
    assert identity(RefusingAws(NoCredentialsError())).run().state is State.FAIL
    nowhere = EndpointConnectionError(endpoint_url="https://sts.example/")
    assert identity(RefusingAws(nowhere)).run().state is State.SKIP


def test_doctors_calls_time_out_sooner_than_a_tailers(stack: DevStack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stack.aws.environment.items():
        monkeypatch.setenv(name, value)
    config = quick_client("sqs").meta.config
    assert config.connect_timeout + config.read_timeout <= 8
    assert config.retries["total_max_attempts"] == 1
