"""A change with what the forwarder remembers of one field, in the place of the images that the server did not send."""

from msgspec.structs import replace

from tailrace.wire.change import Change, Document, Remembered, Value

NOTHING = Remembered()
DECLARE = "to have the forwarder remember it, declare the mapper with @remembers({path!r}) and set FORWARDER_LAST_STATES"
FIRST = "the forwarder does not remember it yet; it remembers it from this change on"
LOOKED_UP = "the forwarder remembers only a looked-up value, which may be newer; assume_current=True accepts it"


def informed(change: Change, path: str, *, assume_current: bool) -> Change:
    """
    Return the change with a pre- and a post-image that hold the remembered values of this path, and no other field, as far as
    the server sent none. With ``assume_current``, a looked-up document counts as the document just after the change if the
    value before it is known. Otherwise each later update would show the same value as a new one.
    """
    known = change.remembered.get(path, NOTHING)
    updated = change.operation_type == "update" and not change.post_image
    if change.full_document_before_change is None and _is_usable(known.was, assume_current):
        change = replace(change, full_document_before_change=_document(path, known.was))
    assume_current = assume_current and change.full_document_before_change is not None
    if updated and _is_usable(known.now, assume_current):
        return replace(change, full_document=_document(path, known.now), post_image=True)
    if updated and assume_current and change.update_description is None and change.full_document is not None:
        return replace(change, post_image=True)
    return change


def hint(change: Change, path: str) -> str:
    """What would make the previous value known."""
    if path not in change.remembered:
        return DECLARE.format(path=path)
    was = change.remembered[path].was
    return FIRST if was is None else LOOKED_UP


def _is_usable(value: Value | None, assume_current: bool) -> bool:
    return value is not None and (assume_current or not value.looked_up)


def _document(path: str, value: Value | None) -> Document:
    """A document with this value alone."""
    if value is None or not value.value:
        return {}
    *outer, last = path.split(".")
    document: Document = {last: value.value[0]}
    for name in reversed(outer):
        document = {name: document}
    return document
