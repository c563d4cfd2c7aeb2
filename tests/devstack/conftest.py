"""One stack without the forwarder for this folder: tests can read its queues."""

from collections.abc import Iterator

import pytest

from devstack import DevStack


@pytest.fixture(scope="package")
def bare_stack(services: None) -> Iterator[DevStack]:
    with DevStack(forwarder=False) as stack:
        yield stack
