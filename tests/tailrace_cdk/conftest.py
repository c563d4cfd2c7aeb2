"""Templates that are synthesised once for all tests."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from devstack import DevStack
from tests.tailrace_cdk.package import image_folder, package
from tests.tailrace_cdk.variants import OF_AN_IMAGE, VARIANTS

if TYPE_CHECKING:  # The CDK takes seconds to start, and not every test of this folder needs it.
    from tailrace_cdk.synthesis.synthesis import Synthesised
    from tests.tailrace_cdk.here import Here

Made = Callable[[str], "Synthesised"]
"""A variant's name to its stack."""


_SYNTHESISED: dict[str, "Synthesised"] = {}  # once per process, for both folders of tests


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    from tailrace_cdk.synthesis.synthesis import of_environment

    folder = tmp_path_factory.mktemp("synthesised")
    events = ("PaymentCreated", "PaymentCancelled")
    zipped, image = package(folder, *events), package(folder, *events, file=image_folder(folder))

    def variant(name: str) -> "Synthesised":
        if name not in _SYNTHESISED:
            used = image if name in OF_AN_IMAGE else zipped
            _SYNTHESISED[name] = of_environment(VARIANTS[name], folder / name, package=used)
        return _SYNTHESISED[name]

    return variant


@pytest.fixture(scope="session")
def here(stack: DevStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Here"]:
    from tests.tailrace_cdk.here import deployed

    with deployed(stack.aws, tmp_path_factory.mktemp("deployed")) as here:
        yield here
