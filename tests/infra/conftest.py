"""What was synthesised, once for all tests that look at it."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from devstack import DevStack
from infra.synthesis import Synthesised, synthesise
from tests.infra.here import Here, deployed
from tests.infra.variants import VARIANTS

Made = Callable[[str], Synthesised]
"""A variant's name to its stack."""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("synthesised")
    package = folder / "forwarder.zip"
    package.write_bytes(b"")  # only the digest of its bytes is in a template

    @cache
    def variant(name: str) -> Synthesised:
        return synthesise(VARIANTS[name], folder / name, package=package)

    return variant


@pytest.fixture(scope="session")
def here(stack: DevStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    with deployed(stack.aws, tmp_path_factory.mktemp("deployed")) as here:
        yield here
