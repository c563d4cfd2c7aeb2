"""Events of a change stream as changes; one that cannot be a change as its stub, or as the error that stops the stream."""

import traceback
from collections.abc import Callable
from pathlib import Path

from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument

from tailer.errors import TailerError, Undeliverable
from tailer.mongodb.decoding.duplicate_fields import DuplicateFields
from tailer.mongodb.events.change_events import change_from_event
from tailer.mongodb.events.stubs import stub
from tailer.poison.on_poison import OnPoison
from tailrace.wire.change import Change
from tailrace.wire.message import DECODED_LIMIT, encode_change

SMALL = 524_288  # bytes of BSON: an event up to here fits a message, at least as a claim
EXPANSION = 13  # BSON's bytes may be so many times as many in JSON: a regular expression without a name, 4 bytes, takes 51
KEY_LIMIT = 524_288  # bytes of BSON: a document key up to here fits a message beside a claim, however badly it compresses

ReadEvent = Callable[[RawBSONDocument, int, int], Change]
"""Event, its number in the stream, its number in its batch from 0 → change."""


class EventReader:
    """Of one generation of a stream. ``post_image`` as in ``change_from_event``."""

    def __init__(self, on_poison: OnPoison, generation: int, *, post_image: bool, duplicates: DuplicateFields) -> None:
        self._on_poison = on_poison
        self._generation = generation
        self._post_image = post_image
        self._duplicates = duplicates

    def change(self, event: RawBSONDocument, sequence: int, number: int) -> Change:
        """
        See ``ReadEvent``.

        Raises:
            Misconfigured: the pipeline took away a field that identifies the change.
            Undeliverable: it is poison, and poison stops the stream.
            Unavailable, Misconfigured: its raw event could not be kept.
        """
        try:
            duplicates = self._duplicates if self._duplicates.looks_at(number) else None
            return checked(change_from_event(event, sequence, post_image=self._post_image, duplicates=duplicates), event)
        except Undeliverable as error:
            reason = str(error)
        except (TailerError, MemoryError):  # the lack of memory says nothing of the change
            raise
        except InvalidBSON as error:
            reason = f"its bytes are not BSON: {error}"
        except Exception as error:  # must not stop the other changes; its words may quote the document
            reason = f"the tailer cannot decode it, which is a bug in the tailer: {type(error).__name__} in {_place(error)}"
        return self.refused(event, sequence, reason)

    def refused(self, event: RawBSONDocument, sequence: int, reason: str) -> Change:
        """The stub of an event that is not to be decoded. Raises as ``change``, but for its first."""
        raw = bytes(event.raw)
        return self._on_poison.instead(stub(raw, sequence, reason), raw, self._generation)

    def unread(self, reason: str) -> ReadEvent:
        """Reads only stubs, of events that hold nothing but what names them."""
        return lambda event, sequence, _: self._on_poison.instead(stub(bytes(event.raw), sequence, reason))


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno}"


def checked(change: Change, event: RawBSONDocument) -> Change:
    """
    The change of the event, which fits a message, at least as a claim.

    Raises:
        Undeliverable: it does not, and never will.
    """
    if len(event.raw) <= SMALL:
        return change
    if len(event.raw) * EXPANSION > DECODED_LIMIT and (size := len(encode_change(change))) > DECODED_LIMIT:
        raise Undeliverable(f"it is {size} bytes of JSON, and the limit is {DECODED_LIMIT}")
    key = event.get("documentKey")
    if isinstance(key, RawBSONDocument) and len(key.raw) > KEY_LIMIT:
        raise Undeliverable(f"its document key is {len(key.raw)} bytes, and the limit is {KEY_LIMIT}")
    return change
