"""Logs the stubs that were sent: one line for each, and for only some of very many."""

import logging

from tailer.change_ids import short
from tailrace.wire.change import Change

ALWAYS = 100  # stubs of one task and stream that each get a line
EVERY = 100  # of the stubs after them, one in so many gets a line

UNKNOWN = "unknown"  # the operation of a change that the server cannot send at all

log = logging.getLogger(__name__)


class StubLog:
    """The stubs of one stream that this task sent: their ``count``, and a description of the ``last``."""

    def __init__(self) -> None:
        self.count = 0
        self.last = ""

    def sent(self, stream: str, stub: Change) -> None:
        """The queue accepted the stub."""
        reason = stub.poison.reason if stub.poison else ""
        self.count += 1
        self.last = f"number {stub.sequence}, {stub.document}: {reason}"
        if self.count > ALWAYS and self.count % EVERY:
            return
        log.warning(
            "%s cannot be delivered: %s. A stub was sent instead, and the forwarder parks the stub. The stream continues%s",
            *(subject(stub), reason),
            "" if self.count < ALWAYS else f". From here on one stub in {EVERY} is logged",
            extra={"action": "stubbed", "stream": stream, "change": short(stub.id), "sequence": stub.sequence},
        )


def subject(stub: Change) -> str:
    """The operation, the document and the short id of a stub's change, as the subject of a sentence."""
    operation = stub.operation_type if stub.operation_type not in ("", UNKNOWN) else "change"
    return f"the {operation} of {stub.document} (change {short(stub.id)})"
