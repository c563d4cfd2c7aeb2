"""
How ``pytest -n`` shares the tests out among its processes. No test needs a neighbour: each may run in any process. Those of a
file stay together, since they share the file's fixtures. So do those of ``tests/tailrace_cdk``, with the two files of
``tests/infra`` that read the same templates, and those of the other files of ``tests/infra``, since the CDK's process takes
seconds to start. So do those of ``tests/path/howto``, which share a system.

What takes longest begins first, so that no process is left with a long test while the others have ended.
"""

from importlib import import_module
from typing import Any

import pytest

SYNTHESISED = ("tests/infra/", "tests/tailrace_cdk/")
SAME_TEMPLATES = ("tests/infra/test_synthesis.py", "tests/infra/test_statements.py")
HOWTO = "tests/path/howto/"


def group(nodeid: str) -> str:
    """The tests of one group run in one process, one after another."""
    file = nodeid.partition("::")[0]
    if file in SAME_TEMPLATES:
        return SYNTHESISED[1]
    return next((folder for folder in (*SYNTHESISED, HOWTO) if file.startswith(folder)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    config.option.loadscopereorder = False
    scheduler = import_module("xdist.scheduler").LoadFileScheduling(config, log)
    scheduler._split_scope = group
    return scheduler


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In each process of several the same order: synthesis, systems of a test's own, the session's stack, and the rest."""
    if hasattr(config, "workerinput"):
        ranks: dict[str, int] = {}
        for item in items:
            name = group(item.nodeid)
            ranks[name] = min(rank(item), ranks.get(name, 3))
        items.sort(key=lambda item: ranks[group(item.nodeid)])


def rank(item: pytest.Item) -> int:
    needs = getattr(item, "fixturenames", ())
    return 0 if item.nodeid.startswith(SYNTHESISED) else 3 if "services" not in needs else 2 if "stack" in needs else 1
