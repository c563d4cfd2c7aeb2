"""The emulated AWS of the session's stack."""

import pytest

from devstack import DevStack
from devstack.aws import Aws


@pytest.fixture(scope="session")
def aws(stack: DevStack) -> Aws:
    return stack.aws
