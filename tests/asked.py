"""A change of the tailer, as a mapper receives it."""

import msgspec

from tailrace.change import Change
from tailrace.wire import change as wire
from tailrace.wire.message import encode_change


def as_received(change: wire.Change) -> Change:
    """Encode the change and decode it as a mapper receives it."""
    return msgspec.json.decode(encode_change(change), type=Change)
