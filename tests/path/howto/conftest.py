"""One system for all pages, and the page's own project in its terminal."""

import pytest

from devstack import DevStack
from tests.path.howto.shop import Shop, started


@pytest.fixture(scope="session")
def shop(stack: DevStack, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return started(stack, tmp_path_factory.mktemp("pages"))
