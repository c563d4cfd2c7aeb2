"""What the forwarder remembers of a message group while it works on a message that may end the function."""

from msgspec import Struct

READING = -1  # the place of a message that is not read yet


class Attempt(Struct, frozen=True, kw_only=True):
    """
    The last note of a message group. Either the function answered that the message failed, at its receive number ``answered``;
    or it was going to work on the place ``trying`` for the ``begun``-th time, and nobody heard of it again.

    A place is the index of a change in its message, or ``READING``. ``message`` is SQS's message id.
    """

    message: str
    answered: int = 0
    trying: int | None = None
    begun: int = 0
