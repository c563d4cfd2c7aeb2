"""A call is passed on, refused, taken in part, or taken and lied about: as armed, and only that."""

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from devstack import DevStack
from devstack.aws import REGION
from devstack.loopback import HOST
from tailer.errors import Unavailable
from tailer.model import Checkpoint, Record
from tailer.stores.dynamodb import DynamodbCheckpoints
from tests.faults.aws_proxy import AwsProxy


@pytest.fixture
def proxy(stack: DevStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, stack.emulator.key)
    with AwsProxy(int(stack.aws.endpoint_url.rpartition(":")[2]), random.Random(1)) as proxy:
        yield proxy


@contextmanager
def client(proxy: AwsProxy, service: str) -> Iterator[Any]:
    """One that tries once, as the tailer's own."""
    config = Config(retries={"total_max_attempts": 1}, proxies={})
    session = boto3.session.Session(region_name=REGION)
    with closing(session.client(service, endpoint_url=f"http://{HOST}:{proxy.port}", config=config)) as client:
        yield client


def sent(proxy: AwsProxy, queue_url: str, count: int = 10) -> Any:
    """The answer to a call with so many entries."""
    entries = [
        {"Id": str(number), "MessageBody": f"{number}", "MessageGroupId": str(number), "MessageDeduplicationId": str(number)}
        for number in range(count)
    ]
    with client(proxy, "sqs") as sqs:
        return sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)


def taken(stack: DevStack, queue_url: str) -> set[str]:
    """The bodies in the queue."""
    response = stack.aws("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
    return {message["Body"] for message in response.get("Messages", [])}


def test_a_call_passes_where_nothing_is_armed(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    """And the time of it is known."""
    assert len(sent(proxy, queue_url)["Successful"]) == 10
    assert len(taken(stack, queue_url)) == 10
    assert len(proxy.sends) == 1
    assert not proxy.done


def test_a_throttled_call_takes_nothing(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    """As often as armed, and then no more."""
    proxy.arm("throttle", 2)
    for _ in range(2):
        with pytest.raises(ClientError, match="RequestThrottled"):
            sent(proxy, queue_url)
    assert taken(stack, queue_url) == set()
    assert len(sent(proxy, queue_url)["Successful"]) == 10
    assert proxy.done == {"throttle": 2}


def test_a_partial_failure_takes_what_it_says_it_takes(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    """Not all of it; and the rest is named as failed."""
    proxy.arm("partial", 1)
    response = sent(proxy, queue_url)
    assert {entry["Id"] for entry in response["Successful"]} == taken(stack, queue_url)
    assert 0 < len(response["Failed"]) == 10 - len(response["Successful"])


def test_a_denied_call_takes_more_than_it_says(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    """Everything is there."""
    proxy.arm("denied", 1)
    assert sent(proxy, queue_url)["Failed"]
    assert len(taken(stack, queue_url)) == 10


def test_an_unanswered_call_was_taken(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    """The client cannot know."""
    proxy.arm("unanswered", 1)
    with pytest.raises(ConnectionClosedError):
        sent(proxy, queue_url)
    assert len(taken(stack, queue_url)) == 10


def test_a_call_answered_with_an_error_was_taken(stack: DevStack, proxy: AwsProxy, queue_url: str) -> None:
    """Nor here."""
    proxy.arm("failed_after", 1)
    with pytest.raises(ClientError, match="InternalFailure"):
        sent(proxy, queue_url)
    assert len(taken(stack, queue_url)) == 10


def test_the_witness_hears_of_every_record_that_was_written(stack: DevStack, proxy: AwsProxy, fresh: str) -> None:
    """Also where the writer was told nothing, and not where nothing was written."""
    with client(proxy, "dynamodb") as dynamodb:
        store = DynamodbCheckpoints(dynamodb, stack.resources.table)
        store.write(Record(stream=fresh, version=1, owner="a", checkpoint=Checkpoint(cluster_time="1.1")))
        proxy.arm("store_throttle", 1)
        with pytest.raises(Unavailable):
            store.write(Record(stream=fresh, version=2, owner="a"))
        proxy.arm("store_unanswered", 1)
        with pytest.raises(Unavailable):
            store.write(Record(stream=fresh, version=2, owner="a", fence=1))
        assert proxy.witness.writes == 2
        assert proxy.witness.latest == store.read(fresh)
        assert proxy.witness.owner == "a"


def test_nothing_gets_through_while_it_is_closed(proxy: AwsProxy, queue_url: str) -> None:
    """The emulator may be restarted then."""
    with proxy.closed(), pytest.raises(ClientError, match="ServiceUnavailable"):
        sent(proxy, queue_url)
    assert sent(proxy, queue_url)["Successful"]
