"""
Which errors of a read mean that an event is too large for the server to send.

If the event itself is above 16 MB the server says so. If only the reply around it is above 16 MB the server closes the
connection, as it also does for other reasons.
"""

from pymongo.errors import AutoReconnect, OperationFailure

from tailer.mongodb.connection.responses import TOO_LARGE

CLOSED_LIMIT = 3  # closed connections in a row at one position, after which the event counts as too large


class ClosedConnections:
    """Counts the connections that the server closed in a row at one position."""

    def __init__(self) -> None:
        self._position: object = None
        self._times = 0

    def too_large(self, error: Exception, position: object) -> bool:
        if not isinstance(error, AutoReconnect):
            return may_be_too_large(error)
        self._times = self._times + 1 if self._position == position else 1
        self._position = position
        return may_be_too_large(error) and self._times >= CLOSED_LIMIT


def may_be_too_large(error: Exception) -> bool:
    """Whether the server refused a size or closed the connection. Subclasses are timeouts, elections and unreachable hosts."""
    return error.code in TOO_LARGE if isinstance(error, OperationFailure) else type(error) is AutoReconnect
