"""One stage for all tests of the table: a tailer and a function in memory cgroups, if this machine supports them."""

from collections.abc import Iterator

import pytest

from tests.hostile.memory_group import unavailable
from tests.hostile.stage import Stage


@pytest.fixture(scope="session")
def stage(services: None) -> Iterator[Stage]:
    if why := unavailable():
        pytest.skip(why)
    with Stage() as stage:
        yield stage
