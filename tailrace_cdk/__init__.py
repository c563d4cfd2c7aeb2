"""
Tailrace for the AWS CDK: the construct ``Tailrace``, and ``TailraceStack``, a stack that holds nothing else.

It needs the libraries of the extra ``cdk``. Imported before ``aws_cdk``, it has the CDK run on the Node.js of that extra.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tailrace_cdk.node import use_own_node

if TYPE_CHECKING:
    from tailrace_cdk.stack import TailraceStack
    from tailrace_cdk.tailrace import Tailrace

__all__ = ["Tailrace", "TailraceStack"]

_INSTALL = 'pip install "tailrace[cdk]"'

if not find_spec("aws_cdk"):
    raise ModuleNotFoundError(
        'tailrace_cdk needs the AWS CDK, which is not installed: pip install "tailrace[cdk]"', name="aws_cdk"
    )
use_own_node()


def __getattr__(name: str) -> Any:
    """Import a construct when it is used: the CDK takes seconds to start, and the settings do without it."""
    modules = {"Tailrace": "tailrace_cdk.tailrace", "TailraceStack": "tailrace_cdk.stack"}
    if name not in modules:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(modules[name]), name)
