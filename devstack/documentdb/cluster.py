"""The state of the cluster that a dialect plays. All connections share it."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bson.timestamp import Timestamp

from devstack.documentdb.enablement import Enablement, Names
from devstack.documentdb.profiles import Value, behaviours, profile

Document = dict[str, Any]


@dataclass(eq=False)
class OpenCursor:
    """A cursor of the server. ``watched`` is what a change stream is opened on; ``token`` its latest post-batch token."""

    watched: Names | None
    used: float
    empty_replies: int = 0
    token: Document | None = None
    read: bool = False


@dataclass
class Cluster:
    """
    What tests change and look at. ``values`` has a value for each behaviour: those of the profile, with the given ones instead.

    ``users`` has the roles by ARN, ``keys`` the access keys of roles that may sign in, ``denied`` the commands that the user
    may not run. ``lost`` makes every resume token too old. ``stalled``: no change events are written, as during a long
    updateMany; a read gets an empty reply at once, and each advances the server's clock by a second. ``scan`` is how many
    seconds the server scans history before it responds to the first read of a cursor, and to the commands in ``slow``;
    ``opening`` before it opens a change stream. ``upgraded`` is the time of an upgrade to the next engine. ``seen`` is every
    command that changed something, and every sign-in; ``given`` every resume token that a client received; ``reads`` the
    cursors that were read.
    """

    values: dict[str, Value]
    now: Callable[[], Timestamp]
    clock: Callable[[], float] = time.monotonic
    users: dict[str, list[Document]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    slow: set[str] = field(default_factory=set)
    lost: bool = False
    stalled: bool = False
    scan: float = 0.0
    opening: float = 0.0
    upgraded: int = 0
    seen: list[Document] = field(default_factory=list)
    given: set[str] = field(default_factory=set)
    reads: list[int] = field(default_factory=list)
    cursors: dict[int, OpenCursor] = field(default_factory=dict)
    enablement: Enablement = field(default_factory=Enablement)
    writes: set[object] = field(default_factory=set)  # outstanding updates and deletes of many documents
    closing: threading.Event = field(default_factory=threading.Event)
    stalled_time: int = field(default_factory=lambda: int(time.time()))

    @property
    def enabled(self) -> set[Names]:
        """What is enabled, as ``$listChangeStreams`` lists it."""
        return self.enablement.scopes

    @enabled.setter
    def enabled(self, scopes: Iterable[Names]) -> None:
        self.enablement.replace(scopes)


def values_of(name: str, changed: dict[str, Value]) -> dict[str, Value]:
    """
    Return the values of a profile, with the changed ones instead.

    Raises:
        ValueError: a changed value is not one that the behaviour may have.
    """
    values = dict(profile(name).values)
    for row, value in changed.items():
        if row not in values or not behaviours()[row].allows(value):
            raise ValueError(f"the behaviour {row} cannot be {value!r}")
    return values | changed
