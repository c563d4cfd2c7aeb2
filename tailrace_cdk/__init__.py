"""
Tailrace as a stack of the AWS CDK: ``tailrace_cdk.stack.TailraceStack``, made from ``tailrace_cdk.config.Environment``.

It needs the libraries of the extra ``cdk``. Imported before ``aws_cdk``, it has the CDK run on the Node.js of that extra.
"""

from importlib.util import find_spec

from tailrace_cdk.node import use_own_node

if not find_spec("aws_cdk"):
    raise ImportError('tailrace_cdk needs the AWS CDK, which is not installed: pip install "tailrace[cdk]"', name="aws_cdk")
use_own_node()
