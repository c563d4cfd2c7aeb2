"""Converts events of a change stream into changes. An event that cannot be converted becomes a stub, or stops the stream."""

import traceback
from pathlib import Path

from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument

from tailer.errors import TailerError, Undeliverable
from tailer.mongodb.decoding.duplicate_fields import DuplicateFields, is_searched
from tailer.mongodb.events.change_events import change_from_event
from tailer.mongodb.events.stubs import stub
from tailer.poison import OnPoison
from tailrace.wire.change import Change
from tailrace.wire.message import DECODED_LIMIT, encode_change

SMALL = 524_288  # bytes of BSON: an event up to here fits into a message, at least as a claim
EXPANSION = 13  # JSON may have so many times the bytes of its BSON: a regular expression without a name, 4 bytes, takes 51
KEY_LIMIT = 524_288  # bytes of BSON: a document key up to here fits into a message beside a claim, even if it does not compress


class EventReader:
    """
    Reads the events of one generation of a stream. ``post_image`` as in ``change_from_event``. ``incomplete``: why the events
    only have the fields that identify a change; each then becomes a stub.
    """

    def __init__(
        self, on_poison: OnPoison, generation: int, *, post_image: bool, duplicates: DuplicateFields, incomplete: str = ""
    ) -> None:
        self._on_poison = on_poison
        self._generation = generation
        self._post_image = post_image
        self._duplicates = duplicates
        self._incomplete = incomplete

    def change(self, event: RawBSONDocument, sequence: int, number: int) -> Change:
        """The change of an event, with its ``sequence`` in the stream. ``number`` is its number in the batch, from 0."""
        if self._incomplete:
            return self._on_poison.instead(stub(bytes(event.raw), sequence, self._incomplete))
        try:
            duplicates = self._duplicates if is_searched(number) else None
            change = change_from_event(event, sequence, post_image=self._post_image, duplicates=duplicates)
            return check_size(change, event)
        except Undeliverable as error:
            reason = str(error)
        except (TailerError, MemoryError):  # a lack of memory may have other causes than this event
            raise
        except InvalidBSON as error:
            reason = f"its bytes are not BSON: {error}"
        except Exception as error:  # must not stop the other changes; the text of the error may contain the document
            reason = f"the tailer cannot decode it, which is a bug in the tailer: {type(error).__name__} in {_place(error)}"
        return self.stub(event, sequence, reason)

    def stub(self, event: RawBSONDocument, sequence: int, reason: str) -> Change:
        """The stub of an event that is not decoded, with its raw event in the claim bucket."""
        raw = bytes(event.raw)
        return self._on_poison.instead(stub(raw, sequence, reason), raw, self._generation)


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno}"


def check_size(change: Change, event: RawBSONDocument) -> Change:
    """Return the change of the event if it fits into a message, at least as a claim; else raise ``Undeliverable``."""
    if len(event.raw) <= SMALL:
        return change
    if len(event.raw) * EXPANSION > DECODED_LIMIT and (size := len(encode_change(change))) > DECODED_LIMIT:
        raise Undeliverable(f"it is {size} bytes of JSON, and the limit is {DECODED_LIMIT}")
    key = event.get("documentKey")
    if isinstance(key, RawBSONDocument) and len(key.raw) > KEY_LIMIT:
        raise Undeliverable(f"its document key is {len(key.raw)} bytes, and the limit is {KEY_LIMIT}")
    return change
