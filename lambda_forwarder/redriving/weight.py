"""How much memory a message takes once it is read."""

from tailrace.message import ChangeMessage
from tailrace.wire.bounds import decoded
from tailrace.wire.message import encode_change


def weight(message: ChangeMessage) -> int:
    """In bytes, at most."""
    return sum(decoded(encode_change(change)) for change in message.changes)
