"""A queue message whose changes have the methods of ``tailrace.Change``."""

from tailrace.change import Change
from tailrace.wire import message as wire

ChangeMessage = wire.ChangeMessage[Change]


def unpack(body: str, room: int = wire.MEMORY) -> ChangeMessage:
    """See ``tailrace.wire.message.unpack``."""
    return wire.unpack(body, Change, room)
