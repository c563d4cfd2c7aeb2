"""The emulated AWS of the session's stack, and an emulated ordered bus."""

import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from devstack import DevStack
from devstack.ordered_bus import SERVICE, OrderedBusServer
from tailrace.dev.aws import REGION, Aws


@pytest.fixture(scope="session")
def aws(stack: DevStack) -> Aws:
    return stack.aws


@pytest.fixture(scope="session")
def ordered_server() -> Iterator[OrderedBusServer]:
    with OrderedBusServer() as server:
        yield server


@pytest.fixture
def ordered(ordered_server: OrderedBusServer) -> OrderedBusServer:
    """The emulated ordered bus, without events."""
    ordered_server.forget()
    return ordered_server


@pytest.fixture(scope="session")
def eventbridgev2(ordered_server: OrderedBusServer) -> Iterator[Any]:
    """The real client for the emulated ordered bus, which makes each call once."""
    config = Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 1})
    session = boto3.session.Session("test", "test", region_name=REGION)
    client = session.client(SERVICE, endpoint_url=ordered_server.endpoint_url, config=config)
    yield client
    client.close()


@pytest.fixture(scope="module")
def no_logs() -> Iterator[None]:
    """Log nothing: a simulation of days fails thousands of times, and pytest would format each traceback."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def mappers_of_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every function and command here has the mappers of examples/payments, unless a test names others."""
    monkeypatch.setenv("FORWARDER_MAPPERS", "examples.payments.events:MAPPERS")
