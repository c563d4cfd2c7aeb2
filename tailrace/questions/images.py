"""The document before and after a change. A document that the server did not send is ``Uncertain``."""

from collections.abc import Sequence

from tailrace.questions.readings import PATHS_LIMIT, Write, is_read, writes
from tailrace.questions.updates import Ambiguous, applied
from tailrace.wire.change import Change, Document, UpdateDescription

NO_PRE_IMAGE = "there is no pre-image (TAILER_FULL_DOCUMENT_BEFORE_CHANGE), so the previous value is unknown"
NO_DESCRIPTION = "there is no update description, and a looked-up document may be newer than the change"
TOO_MANY = (
    f"the update description has more than {PATHS_LIMIT} paths or an unknown form, and a looked-up document may be newer than "
    "the change"
)
STUB = "the tailer could not read the change and sent a stub in its place"
NO_DOCUMENT = "the change does not carry its document"
COLLISION = "the document has two fields with this path, and the results for them differ"
IMAGES = "use pre- and post-images (TAILER_FULL_DOCUMENT and TAILER_FULL_DOCUMENT_BEFORE_CHANGE whenAvailable or required)"


class Uncertain(Exception):
    """The server did not send enough for a certain result. The message names what is missing."""


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
        missing = undescribed(change) if description is None else "there is no pre-image to apply the update to"
        newer = "full_document is the looked-up document, which may be newer than the change"
        raise Uncertain(f"after: {missing}; {newer}; {IMAGES}")
    return after_writes("after", known, writes(description, known))


def refuse_stub(question: str, change: Change) -> None:
    """Raise ``Uncertain`` if the change is a stub, without its documents."""
    if change.poison is not None:
        raise Uncertain(f"{question}: {STUB}")


def described(change: Change) -> UpdateDescription | None:
    """The update description; None if the server sent none or one of unknown form."""
    description = change.update_description
    return description if description is not None and is_read(description) else None


def undescribed(change: Change) -> str:
    """Why there is no update description."""
    return NO_DESCRIPTION if change.update_description is None else TOO_MANY


def after_writes(question: str, known: Document, described_writes: Sequence[Write]) -> Document:
    """Apply the writes to the known document. Raise ``Uncertain`` if a path of the writes is ambiguous."""
    try:
        return applied(known, described_writes)
    except Ambiguous as error:
        raise Uncertain(f"{question}: {error}; {IMAGES}") from error
