"""Where a stream is, or starts: after a resume token, or at a cluster time."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from tailer.resume_tokens import token_time
from tailrace.wire.change import UNKNOWN_TIME, Change


class At(Struct, frozen=True, tag="at"):
    """At a cluster time, ``"seconds.increment"``. The changes of that time are still to be read."""

    time: str


class After(Struct, frozen=True, tag="after"):
    """
    After the change or the reply that has this resume token, the server's opaque text.

    ``time`` is the token's cluster time, None where it is unknown. A time inside the token replaces any other.
    """

    token: str
    time: str | None = None

    def __post_init__(self) -> None:
        if time := token_time(self.token):
            force_setattr(self, "time", time)


Position = At | After

Start = Literal["now", "beginning"] | At
"""Where a stream without a checkpoint starts: now, at the oldest history, or at a time."""


def known_time(change: Change) -> str | None:
    """Return the cluster time of a change, None if the tailer could not read it."""
    return None if change.cluster_time == UNKNOWN_TIME else change.cluster_time
