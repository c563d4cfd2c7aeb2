"""One log line for each stub that was sent; of very many, for some."""

import logging

from tailer.change_ids import short
from tailrace.wire.change import Change

ALWAYS = 100  # stubs of one task and stream, each with a line
EVERY = 100  # of those after them, one in so many

UNKNOWN = "unknown"  # the operation of a change that the server cannot send at all

log = logging.getLogger(__name__)


class StubLog:
    """The stubs of one stream that this task sent: ``count``, and which was the ``last``."""

    def __init__(self) -> None:
        self.count = 0
        self.last = ""

    def sent(self, stream: str, stub: Change) -> None:
        """The stub is in the queue."""
        reason = stub.poison.reason if stub.poison else ""
        self.count += 1
        self.last = f"number {stub.sequence}, {stub.document}: {reason}"
        if self.count > ALWAYS and self.count % EVERY:
            return
        log.warning(
            "%s cannot be delivered: %s. A stub was sent instead, and the forwarder parks the stub. The stream continues%s",
            *(words(stub), reason),
            "" if self.count < ALWAYS else f". From here on one stub in {EVERY} is logged",
            extra={"action": "stubbed", "stream": stream, "change": short(stub.id), "sequence": stub.sequence},
        )


def _operation(stub: Change) -> str:
    return stub.operation_type if stub.operation_type not in ("", UNKNOWN) else "change"


def words(stub: Change) -> str:
    """What a stub's change did, to which document, and its short id: for a sentence."""
    return f"the {_operation(stub)} of {stub.document} (change {short(stub.id)})"
