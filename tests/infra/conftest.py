"""The stacks that the tests of ``tests/tailrace_cdk`` synthesise are looked at here too."""

from tests.tailrace_cdk.conftest import made

__all__ = ["made"]
