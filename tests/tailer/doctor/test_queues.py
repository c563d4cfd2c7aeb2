"""What the doctor finds of the queue, the claim bucket and this process's standing with AWS."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from devstack import DevStack
from tailer.aws.checks.access import identity, quick_client
from tailer.aws.checks.destinations import parking
from tailer.aws.checks.forwarder import Forwarder
from tailer.aws.checks.queue import Queue, claims
from tailer.checks import NotChecked, State
from tailer.errors import Misconfigured
from tailrace.wire.message import MESSAGE_LIMIT
from tests.tailer.doctor.conftest import Doctor

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class Refusing:
    """An AWS that answers every call alike."""

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
    """As SQS has it, but for these attributes."""
    queue = Queue(url, stack.aws, now=lambda: datetime.now(UTC))
    assert queue.exists().state is State.OK
    queue.response = {**queue.response, "Attributes": {**queue.attributes, **attributes}}
    return queue


def test_a_queue_that_does_not_exist_fails_once(doctor: Doctor, queue_url: str) -> None:
    """Whatever depends on it is skipped; the setting and the queue are named. Exit 2."""
    report = doctor(TAILER_QUEUE_URL=queue_url.replace(".fifo", "-gone.fifo"))
    assert report.failed == {"queue.exists"}
    assert "→ compare TAILER_QUEUE_URL with aws sqs list-queues, and AWS_REGION" in report["queue.exists"][1]
    assert report["queue.fifo"][0] == report["forwarder.bus"][0] == "skip"
    assert report.code == 2


def test_a_queue_that_is_not_fifo_is_told(stack: DevStack, fresh: str) -> None:
    """Whatever its name says; an emulator lets such a queue be."""
    url = stack.aws("sqs").create_queue(QueueName=f"{fresh}-standard")["QueueUrl"]
    queue = Queue(url, stack.aws, now=lambda: NOW)
    queue.exists()
    verdict = queue.fifo()
    assert (verdict.state, verdict.exit_code) == (State.FAIL, 2)
    assert "is not a FIFO queue" in verdict.found


def test_a_queue_as_it_should_be_passes(stack: DevStack, queue_url: str) -> None:
    """Every look."""
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
def test_what_is_set_otherwise_is_told(
    stack: DevStack, queue_url: str, attributes: dict[str, str], look: Any, state: State, words: str
) -> None:
    """What would stop a stream fails; what costs speed or safety is a warning."""
    verdict = look(a_queue(stack, queue_url, **attributes))
    assert verdict.state is state
    assert words in verdict.found


@pytest.mark.parametrize(("seconds", "state"), [(3, State.OK), (4, State.WARN), (19, State.FAIL)])
def test_a_message_is_hidden_for_six_times_what_its_function_may_take(
    stack: DevStack, queue_url: str, seconds: int, state: State
) -> None:
    """Less is a warning; less than once, and the message comes again while it is worked on."""
    forwarder = Forwarder(a_queue(stack, queue_url), "", stack.aws)
    forwarder._configuration = {"Timeout": seconds}
    assert forwarder.visibility().state is state


def test_dead_letters_are_counted(stack: DevStack, queue_url: str, dead_letters_url: str) -> None:
    """And left where they are."""
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
def test_the_other_queues_are_looked_at_too(
    stack: DevStack, queue_url: str, function: str, mapping: str, which: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would block a lane fails; what loses something later is a warning. Each with the remedy."""
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


def test_dead_letters_of_another_kind_are_told(stack: DevStack, queue_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A standard queue keeps no order."""
    found = Queue.other
    monkeypatch.setattr(Queue, "other", lambda *given: {**found(*given), "FifoQueue": "false"})
    assert a_queue(stack, queue_url).dead_letters().state is State.FAIL


def test_an_outage_must_not_make_dead_letters(stack: DevStack, queue_url: str, dead_letters_url: str) -> None:
    """A queue that gives a message up after a few receives breaks the order in every outage that lasts."""
    queue = a_queue(stack, queue_url)
    arn = json.loads(queue.attributes["RedrivePolicy"])["deadLetterTargetArn"]
    few = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 10})
    verdict = a_queue(stack, queue_url, RedrivePolicy=few).dead_letters()
    assert verdict.state is State.WARN
    assert "after 10 receives" in verdict.found
    assert "1000" in (verdict.remedy or "")


def test_looking_is_not_sending(stack: DevStack, queue_url: str) -> None:
    """The queue is as empty as before."""
    assert a_queue(stack, queue_url).send().state is State.OK
    assert "0 messages wait" in a_queue(stack, queue_url).exists().found


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.EmptyBatchRequest", "EmptyBatchRequest"])
def test_an_empty_call_that_is_refused_as_empty_was_allowed(code: str) -> None:
    """SQS's own words for it, in either of its protocols."""
    assert Queue("url", Refusing(refused(code)), now=lambda: NOW).send().state is State.OK


def test_who_may_not_send_is_told() -> None:
    """With the setting it is about."""
    with pytest.raises(Misconfigured, match=r"TAILER_QUEUE_URL.*denies this role access"):
        Queue("url", Refusing(refused("AccessDenied")), now=lambda: NOW).send()


def test_a_right_that_a_tailer_does_not_need_is_named_where_it_is_missing() -> None:
    """The doctor skips, and says which."""
    with pytest.raises(NotChecked, match="sqs:GetQueueAttributes on arn:aws:sqs:eu-west-1:1:dlq"):
        Queue("url", Refusing(refused("AccessDenied")), now=lambda: NOW).other("other", "arn:aws:sqs:eu-west-1:1:dlq")


def test_the_clock_is_read_off_any_response(stack: DevStack, queue_url: str) -> None:
    """To the second; an answer without a date is no failure."""
    queue = a_queue(stack, queue_url)
    assert queue.clock().state is State.OK
    queue._now = lambda: NOW.replace(year=2020)
    assert queue.clock().state is State.WARN
    queue.response = {}
    assert queue.clock().state is State.SKIP


def test_a_bucket_is_written_to_under_the_streams_own_prefix(stack: DevStack) -> None:
    """The same small object each time, which nothing refers to."""
    for _ in range(2):
        assert claims(stack.resources.claim_bucket, "payments", stack.aws).run().state is State.OK
    found = stack.aws("s3").get_object(Bucket=stack.resources.claim_bucket, Key="payments/doctor.json")
    assert found["Body"].read() == b"{}"


def test_a_bucket_that_is_not_there_is_told(stack: DevStack) -> None:
    """The setting is named; no bucket at all is a choice."""
    with pytest.raises(Misconfigured, match="TAILER_CLAIM_BUCKET: nowhere does not exist"):
        claims("nowhere", "payments", stack.aws).run()
    assert claims("", "payments", stack.aws).run().state is State.SKIP


def test_who_we_are_is_told_where_it_can_be(stack: DevStack) -> None:
    """No credentials is a failure; an STS that cannot be reached is none, as a tailer does not ask it anything."""
    assert "arn:aws:" in identity(stack.aws).run().found
    assert identity(Refusing(NoCredentialsError())).run().state is State.FAIL
    nowhere = EndpointConnectionError(endpoint_url="https://sts.example/")
    assert identity(Refusing(nowhere)).run().state is State.SKIP


def test_a_call_takes_less_than_a_tailers(stack: DevStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """One try, and a few seconds: what hangs is found, not waited for."""
    for name, value in stack.aws.environment.items():
        monkeypatch.setenv(name, value)
    config = quick_client("sqs").meta.config
    assert config.connect_timeout + config.read_timeout <= 8
    assert config.retries["total_max_attempts"] == 1
