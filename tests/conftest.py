"""Real services for the tests that need them, started once in each process that runs tests."""

import gc
import signal
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import HealthCheck, settings
from pymongo import MongoClient

from devstack import DevStack

pytest_plugins = ["tests.fast", "tests.forked", "tests.groups", "tests.servers", "tests.howto.page"]

_names = count(1)

# On a loaded machine an example takes seconds, so its duration says nothing about the code.
settings.register_profile("tailrace", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("tailrace")


def pytest_configure() -> None:
    """
    Restore SIGINT, which a shell ignores for a background job; every process that a test starts would inherit that. Collect no
    garbage until all modules are imported.
    """
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Exempt all modules and tests from the collection of garbage, which would search them again and again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _models_of_aws_are_read_once() -> Iterator[None]:
    """A process of the product has one boto3 session, which reads a service's model once. Hundreds of tests make their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", staticmethod(cache(JSONFileLoader().load_file)))
        yield


@pytest.fixture(scope="session")
def services() -> None:
    """Requested by every test that starts mongod or the AWS emulator: ``--fast`` deselects these tests."""


@pytest.fixture(scope="session")
def stack(services: None) -> Iterator[DevStack]:
    """A replica set and the AWS emulator, without the forwarder: tests can read the queue."""
    with DevStack(forwarder=False) as stack:
        yield stack


@pytest.fixture
def mongo(stack: DevStack) -> "MongoClient[dict[str, Any]]":
    return stack.mongo


@pytest.fixture
def fresh() -> str:
    """A name that no other test uses."""
    return f"test{next(_names)}"


@pytest.fixture
def queue_url(stack: DevStack, fresh: str) -> str:
    """A FIFO queue of this test, configured as in production."""
    attributes = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    url: str = stack.aws("sqs").create_queue(QueueName=f"{fresh}.fifo", Attributes=attributes)["QueueUrl"]
    return url
