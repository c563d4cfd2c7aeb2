"""Why a payload cannot be read. The text never contains the data of the event."""


class NotAnEvent(ValueError):
    """The payload is not an event of Tailrace, or exceeds a limit. A retry does not help."""


class UnknownEvent(NotAnEvent):
    """The event has no class here, or another version than its class."""
