"""A change that the tailer made, as a mapper sees it."""

import msgspec

from tailrace.change import Change
from tailrace.wire import change as wire
from tailrace.wire.message import encode_change


def asked(change: wire.Change) -> Change:
    """The same change once it has travelled."""
    return msgspec.json.decode(encode_change(change), type=Change)
