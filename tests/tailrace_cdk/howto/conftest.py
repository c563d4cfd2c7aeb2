"""The stack that the how-to pages name, deployed to the emulator's CloudFormation for all of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from devstack import DevStack
from tests.howto.account import clone, sign_in
from tests.howto.page import Page

if TYPE_CHECKING:  # The CDK takes seconds to start.
    from tests.tailrace_cdk.conftest import Made


@pytest.fixture
def outputs(stack: DevStack, made: "Made") -> Mapping[str, str]:
    """The outputs of ``tailrace-mine``. It is deployed for the first page, and again only if a page deleted it."""
    from tests.tailrace_cdk.howto.mine import outputs_of

    return outputs_of(stack.aws, made("existing"))


@pytest.fixture
def owner(page: Page, stack: DevStack) -> Page:
    """The page in a shell with an AWS account and a clone."""
    sign_in(page, stack.aws)
    clone(page)
    return page
