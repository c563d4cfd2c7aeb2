"""The server that a system runs on: mongod itself, or a profile of DocumentDB that a dialect plays in front of it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from devstack.documentdb.dialect import DocumentdbDialect

MONGODB = "mongodb"
VARIABLE = "TAILRACE_SERVER"


def chosen_server() -> str:
    """Return the server that the environment names; MongoDB if it names none."""
    return os.environ.get(VARIABLE) or MONGODB


@contextmanager
def enabled_dialect(ports: Sequence[int], profile: str) -> Iterator[DocumentdbDialect]:
    """Play a profile in front of these members. Change streams are enabled for everything."""
    with DocumentdbDialect(ports, profile) as dialect:
        dialect.enabled = {("", "")}
        yield dialect
