"""The note about a message group while the forwarder processes a message that may end the function."""

from msgspec import Struct

READING = -1  # the place before the first change: the message is being read


class Attempt(Struct, frozen=True, kw_only=True):
    """
    The last note about a message group. ``message`` is the message id.

    Either the function returned the message as failed, when its receive count was ``answered``. Or the function started to
    process the place ``trying`` for the ``begun``-th time, and has not reported a result: it may have ended there. A place is
    the index of a change in its message, or ``READING``.
    """

    message: str
    answered: int = 0
    trying: int | None = None
    begun: int = 0
