"""
The server that the tests of a run use: what ``pytest --server documentdb-5.0`` or TAILRACE_SERVER names, else MongoDB.

A test that uses ``every_server`` runs on MongoDB and on each variant of each profile of DocumentDB, unless the run names a
server. The fixture ``server`` says what a test may expect of the server that it runs on.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from devstack.documentdb.profiles import names, profile, variants
from devstack.documentdb.servers import MONGODB, VARIABLE, chosen_server


@dataclass(frozen=True)
class Server:
    """What a test may expect of the server. ``documentdb`` is the dialect that plays it; None for MongoDB."""

    name: str
    documentdb: DocumentdbDialect | None

    def has(self, behaviour: str, value: str | int) -> bool:
        """Whether it is DocumentDB, with this value of the behaviour."""
        return self.documentdb is not None and self.documentdb.values[behaviour] == value


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server", help=f"what the tests run on: {MONGODB}, or {', '.join(names())}, or a variant (documentdb-5.0:2)"
    )


def pytest_configure(config: pytest.Config) -> None:
    if chosen := config.getoption("--server"):
        os.environ[VARIABLE] = chosen
    if chosen_server() != MONGODB:
        profile(chosen_server())  # a wrong name ends the run here


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "every_server" in metafunc.fixturenames:
        every = [MONGODB, *(variant.name for name in names() for variant in variants(name))]
        servers = [os.environ[VARIABLE]] if os.environ.get(VARIABLE) else every
        metafunc.parametrize("every_server", servers, indirect=True, scope="module")


@pytest.fixture(scope="module")
def every_server(stack: DevStack, request: pytest.FixtureRequest) -> Iterator[None]:
    """Connects ``stack`` and ``mongo`` to one server after the other."""
    with stack.on(request.param):
        yield


@pytest.fixture
def on_mongodb(stack: DevStack) -> Iterator[None]:
    """For a test of something that only MongoDB has: it runs there, whatever the server of the run."""
    with stack.on(MONGODB):
        yield


@pytest.fixture
def server(stack: DevStack) -> Server:
    """The server that ``stack`` and ``mongo`` are connected to."""
    return Server(stack.server, stack.documentdb)
