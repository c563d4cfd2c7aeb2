"""
The plugin of pytest: fixtures for the tests of a project. It is active wherever Tailrace is installed beside pytest, also
without the extra ``dev``: so it is no part of ``tailrace.testing``, which needs the extra.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # a test run that uses none of the fixtures does not load the libraries of Tailrace
    from collections.abc import Callable, Iterator, Mapping

    from tailrace.consuming import Event
    from tailrace.testing.running_project import RunningProject
    from tailrace.testing.snapshots import EventSnapshot


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("tailrace_schemas", "the folder of the JSON schemas of events, for the fixture contract", default="schemas")


@pytest.fixture
def event_snapshot(request: pytest.FixtureRequest) -> EventSnapshot:
    """
    The snapshot of this test: ``event_snapshot.check(events)`` compares events with the file ``snapshots/MODULE/TEST.json``
    beside the test. ``TAILRACE_UPDATE_SNAPSHOTS=1 pytest`` writes the files.
    """
    from tailrace.testing.snapshots import UPDATE, EventSnapshot, file_name

    test = request.node
    path = test.path.parent / "snapshots" / test.path.stem / file_name(test.name)
    return EventSnapshot(path, update=bool(os.environ.get(UPDATE)))


@pytest.fixture(scope="session")
def contract(request: pytest.FixtureRequest) -> Callable[[Event[Any] | Mapping[str, Any]], None]:
    """
    ``contract(event)`` fails unless an event, or each event of a payload, matches its JSON schema in the project's folder
    ``schemas``, or in the one that the setting ``tailrace_schemas`` of pytest names.
    """
    from tailrace.testing.contract import validate

    folder = request.config.rootpath / str(request.config.getini("tailrace_schemas"))

    def check(event: Event[Any] | Mapping[str, Any]) -> None:
        __tracebackhide__ = True
        validate(event, folder)

    return check


@pytest.fixture(scope="session")
def running_project(request: pytest.FixtureRequest) -> Iterator[RunningProject]:
    """The whole system of the project on this machine, started once for all tests of the run that ask for it."""
    from tailrace.testing.running_project import RunningProject

    with RunningProject(request.config.rootpath) as project:
        yield project
