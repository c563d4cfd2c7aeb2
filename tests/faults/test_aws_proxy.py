"""Calls are passed on, refused, accepted in part, or accepted with a wrong response, exactly as armed."""

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from devstack import DevStack
from tailer.errors import Unavailable
from tailer.model import At, Checkpoint, Record
from tailer.stores.dynamodb import DynamodbCheckpoints
from tailrace.dev.aws import REGION
from tailrace.dev.loopback import HOST
from tests.faults.aws_proxy import AwsProxy


@pytest.fixture
def proxy(stack: DevStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, stack.emulator.key)
    with AwsProxy(int(stack.aws.endpoint_url.rpartition(":")[2]), random.Random(1)) as proxy:
        yield proxy


@contextmanager
def client(proxy: AwsProxy, service: str) -> Iterator[Any]:
    """A client that tries once, like the tailer's."""
    config = Config(retries={"total_max_attempts": 1}, proxies={})
    session = boto3.session.Session(region_name=REGION)
    with closing(session.client(service, endpoint_url=f"http://{HOST}:{proxy.port}", config=config)) as client:
        yield client


def send_batch(proxy: AwsProxy, queue_url: str, count: int = 10) -> Any:
    """Send a batch with this many entries and return the response."""
    entries = [
        {"Id": str(number), "MessageBody": f"{number}", "MessageGroupId": str(number), "MessageDeduplicationId": str(number)}
        for number in range(count)
    ]
    with client(proxy, "sqs") as sqs:
        return sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)


def stored_bodies(stack: DevStack, queue_url: str) -> set[str]:
    """Return the bodies in the queue."""
    response = stack.aws("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
    return {message["Body"] for message in response.get("Messages", [])}


def test_call_passes_when_no_fault_is_armed(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    """Its time is recorded."""
    assert len(send_batch(proxy, queue_url)["Successful"]) == 10
    assert len(stored_bodies(stack, queue_url)) == 10
    assert len(proxy.sends) == 1
    assert not proxy.done


def test_throttled_call_stores_nothing(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    """As often as armed, and then no more."""
    proxy.arm("throttle", 2)
    for _ in range(2):
        with pytest.raises(ClientError, match="RequestThrottled"):
            send_batch(proxy, queue_url)
    assert stored_bodies(stack, queue_url) == set()
    assert len(send_batch(proxy, queue_url)["Successful"]) == 10
    assert proxy.done == {"throttle": 2}


def test_partial_failure_stores_only_the_reported_entries(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    """The others are reported as failed."""
    proxy.arm("partial", 1)
    response = send_batch(proxy, queue_url)
    assert {entry["Id"] for entry in response["Successful"]} == stored_bodies(stack, queue_url)
    assert 0 < len(response["Failed"]) == 10 - len(response["Successful"])


def test_denied_call_stores_more_than_it_reports(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    proxy.arm("denied", 1)
    assert send_batch(proxy, queue_url)["Failed"]
    assert len(stored_bodies(stack, queue_url)) == 10


def test_unanswered_call_was_stored(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    proxy.arm("unanswered", 1)
    with pytest.raises(ConnectionClosedError):
        send_batch(proxy, queue_url)
    assert len(stored_bodies(stack, queue_url)) == 10


def test_call_with_an_error_response_was_stored(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    proxy.arm("failed_after", 1)
    with pytest.raises(ClientError, match="InternalFailure"):
        send_batch(proxy, queue_url)
    assert len(stored_bodies(stack, queue_url)) == 10


def test_witness_is_given_every_written_record(stack: DevStack, proxy: AwsProxy, fresh: str) -> None:
    """Also if the response was lost, and not if nothing was written."""
    with client(proxy, "dynamodb") as dynamodb:
        store = DynamodbCheckpoints(dynamodb, stack.resources.table)
        store.write(Record(stream=fresh, version=1, owner="a", checkpoint=Checkpoint(position=At("1.1"))))
        proxy.arm("store_throttle", 1)
        with pytest.raises(Unavailable):
            store.write(Record(stream=fresh, version=2, owner="a"))
        proxy.arm("store_unanswered", 1)
        with pytest.raises(Unavailable):
            store.write(Record(stream=fresh, version=2, owner="a", fence=1))
        assert proxy.witness.writes == 2
        assert proxy.witness.latest == store.read(fresh)
        assert proxy.witness.owner == "a"


def test_no_call_passes_while_the_proxy_is_closed(proxy: AwsProxy, queue_url: str) -> None:
    """The emulator may be restarted meanwhile."""
    with proxy.closed(), pytest.raises(ClientError, match="ServiceUnavailable"):
        send_batch(proxy, queue_url)
    assert send_batch(proxy, queue_url)["Successful"]
