"""Which engine answers: MongoDB, or Amazon DocumentDB, which differs where change streams are concerned."""

from collections.abc import Mapping
from typing import Any


def maybe_documentdb(hello: Mapping[str, Any]) -> bool:
    """Whether the server may be DocumentDB: only there is a replica set that reports no cluster time."""
    return "setName" in hello and "$clusterTime" not in hello
