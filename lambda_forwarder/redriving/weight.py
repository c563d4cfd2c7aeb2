"""How much memory a message takes once it is read."""

from lambda_forwarder.claims.size import decoded_size
from tailrace.message import ChangeMessage
from tailrace.wire.message import encode_change


def weight(message: ChangeMessage) -> int:
    """In bytes, about; never much less than it is."""
    return sum(decoded_size(encode_change(change)) for change in message.changes)
