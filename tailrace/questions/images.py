"""The document before and after a change, as far as the server sent them. What is missing is ``Uncertain``."""

from collections.abc import Sequence

from tailrace.questions.readings import PATHS_LIMIT, Write, is_read, writes
from tailrace.questions.updates import Ambiguous, applied
from tailrace.wire.change import Change, Document, UpdateDescription

NO_PRE_IMAGE = "there is no pre-image, so the previous value is unknown"
NO_DESCRIPTION = "there is no update description, and a looked-up document may be newer than the change"
TOO_MANY = (
    f"the update describes more than {PATHS_LIMIT} paths, or no server writes it, and a looked-up document may be newer than "
    "the change"
)
STUB = "the tailer could not read the change and sent a stub in its place"
NO_DOCUMENT = "the change does not carry its document"
COLLISION = "the document has two fields with this path, and their answers differ"
IMAGES = "use pre- and post-images (TAILER_FULL_DOCUMENT and TAILER_FULL_DOCUMENT_BEFORE_CHANGE whenAvailable or required)"


class Uncertain(Exception):
    """The server did not send enough to answer, and a guess could be wrong. The message names what is missing."""


def before(change: Change) -> Document | None:
    """See ``Change.before``."""
    refuse_stub("before", change)
    if change.operation_type in ("update", "replace", "delete"):
        if change.full_document_before_change is None:
            raise Uncertain(f"before: {NO_PRE_IMAGE}")
        return change.full_document_before_change
    return None


def after(change: Change) -> Document | None:
    """See ``Change.after``."""
    refuse_stub("after", change)
    if change.operation_type in ("insert", "replace"):
        if change.full_document is None:
            raise Uncertain(f"after: {NO_DOCUMENT}")
        return change.full_document
    if change.operation_type != "update":
        return None
    if change.post_image and change.full_document is not None:
        return change.full_document
    description, known = described(change), change.full_document_before_change
    if description is None or known is None:
        missing = undescribed(change) if description is None else "there is no pre-image to which the update could be applied"
        raise Uncertain(f"after: {missing}; full_document is the document as looked up")
    return after_writes("after", known, writes(description, known))


def refuse_stub(question: str, change: Change) -> None:
    """
    Raises:
        Uncertain: the change is a stub, so no question has an answer.
    """
    if change.poison is not None:
        raise Uncertain(f"{question}: {STUB}")


def described(change: Change) -> UpdateDescription | None:
    """The update description, if the server sent one and it can be read."""
    description = change.update_description
    return description if description is not None and is_read(description) else None


def undescribed(change: Change) -> str:
    """Why there is no update description."""
    return NO_DESCRIPTION if change.update_description is None else TOO_MANY


def after_writes(question: str, known: Document, described_writes: Sequence[Write]) -> Document:
    """
    The known document with these writes.

    Raises:
        Uncertain: they can be read in more than one way.
    """
    try:
        return applied(known, described_writes)
    except Ambiguous as error:
        raise Uncertain(f"{question}: {error}; {IMAGES}") from error
