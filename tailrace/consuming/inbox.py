"""The port of an inbox: what a consumer has handled, so that it does nothing twice and never returns to an older state."""

from typing import Any, Protocol, TypeVar

from tailrace.consuming.event import Event

E = TypeVar("E", contravariant=True)
"""An effect: what the consumer does because of an event. Its form is that of the store."""


class Inbox(Protocol[E]):
    """
    Each method stores its note about the event and the effects together, or nothing: after an error, and after a crash at any
    moment, the message is delivered again and handled as if for the first time.
    """

    def once(self, event: Event[Any], *effects: E) -> bool:
        """
        Apply the effects unless this event was handled before. Return whether they were applied.

        For effects that add up: an amount, a payment, a letter. Keeps a note for each event.
        """
        ...

    def newest(self, event: Event[Any], *effects: E) -> bool:
        """
        Apply the effects if no newer event of the same document and stream was handled. Return whether they were applied.

        For effects that replace a state: repeats, events out of order and late events of a redrive cannot bring an older state
        back. Keeps a note for each document. Events of one change are equally new: each is applied once. A higher generation is
        newer, whatever the sequence: after an operator rewound the stream, its events are applied again, in order.
        """
        ...
