"""SIGTERM ends a task in time, whatever its services do."""

import json
import queue
import threading

import pytest

from devstack import DevStack
from tailer.deadline import keep_deadline
from tailer.stores.dynamodb import DynamodbCheckpoints
from tailrace.dev.loopback import HOST, wait_until
from tailrace.dev.tailer import TailerProcess
from tests.faults.tcp_proxy import TcpProxy


def ports(stack: DevStack) -> list[int]:
    """Return the ports of MongoDB and AWS."""
    return [
        int(url.partition("//")[2].partition("/")[0].rpartition(":")[2]) for url in (stack.mongodb_uri, stack.aws.endpoint_url)
    ]


def tailing(stack: DevStack, network: TcpProxy, name: str, **settings: str) -> TailerProcess:
    """Return a tailer of a whole database through this network, which has sent a change."""
    mongodb, aws = network.ports
    given = {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{aws}",
        "TAILER_MONGODB_URI": f"mongodb://{HOST}:{mongodb}/?directConnection=true&heartbeatFrequencyMS=120000",
        "TAILER_LEASE_SECONDS": "60",
    }
    tailer = TailerProcess(stack.workspace, stack.environment_of(name) | given | settings, name)
    tailer.wait_ready()
    stack.mongo[name].payments.insert_one({"_id": 1})
    wait_until(lambda: f'_changes_sent_total{{stream="{name}"}} 1.0' in tailer.metrics(), tailer.process, 20)
    return tailer


def test_stop_ends_in_time_when_every_service_hangs(stack: DevStack, queue_url: str, fresh: str) -> None:
    """With exit code 0: nothing is lost, and the lease expires."""
    settings = {"TAILER_QUEUE_URL": queue_url, "TAILER_CHECKPOINTS": "mongodb:"}
    with TcpProxy(ports(stack)) as network:
        tailer = tailing(stack, network, fresh, **settings)
        network.silent = True
        assert tailer.stop() == 0
        assert json.loads(tailer.process.log_tail(1))["action"] == "left"


def test_stop_releases_the_lease_when_sqs_hangs(stack: DevStack, queue_url: str, fresh: str) -> None:
    """No further call is made. The next owner starts at once after the accepted changes."""
    with TcpProxy(ports(stack), b"AmazonSQS") as network:
        tailer = tailing(stack, network, fresh, TAILER_QUEUE_URL=queue_url)
        network.silent = True
        stack.mongo[fresh].payments.insert_one({"_id": 2})
        wait_until(lambda: f'_calls_total{{stream="{fresh}"}} 2.0' in tailer.metrics(), tailer.process, 20)
        assert tailer.stop() == 0
        assert json.loads(tailer.process.log_tail(1))["action"] == "stopped"
    record = DynamodbCheckpoints(stack.aws("dynamodb"), stack.resources.table).read(fresh)
    assert record is not None
    assert record.checkpoint is not None
    assert (record.owner, record.checkpoint.sequence) == ("", 1)


def test_deadline_only_ends_a_task_that_was_asked_to_stop() -> None:
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    stopping = threading.Event()
    keep_deadline(stopping, seconds=0.05, end=ended.put)
    with pytest.raises(queue.Empty):
        ended.get(timeout=0.3)
    stopping.set()
    assert ended.get(timeout=60) == 0
