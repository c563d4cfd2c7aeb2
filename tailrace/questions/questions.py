"""Implements the methods of ``Change``, from what the server sent. If that is not enough, they raise ``Uncertain``."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tailrace.questions.patches import Patch, patch, replacement
from tailrace.questions.paths import ABSENT, Names, below, found, index, same
from tailrace.questions.readings import PATHS_LIMIT, Cut, Reader, Write, is_read, writes
from tailrace.questions.updates import Ambiguous, applied
from tailrace.wire.change import Change, Document, UpdateDescription

UNKNOWN: Any = object()

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
    _no_stub("before", change)
    if change.operation_type in ("update", "replace", "delete"):
        if change.full_document_before_change is None:
            raise Uncertain(f"before: {NO_PRE_IMAGE}")
        return change.full_document_before_change
    return None


def after(change: Change) -> Document | None:
    """See ``Change.after``."""
    _no_stub("after", change)
    if change.operation_type in ("insert", "replace"):
        if change.full_document is None:
            raise Uncertain(f"after: {NO_DOCUMENT}")
        return change.full_document
    if change.operation_type != "update":
        return None
    if change.post_image and change.full_document is not None:
        return change.full_document
    described, known = _described(change), change.full_document_before_change
    if described is None or known is None:
        missing = _undescribed(change) if described is None else "there is no pre-image to which the update could be applied"
        raise Uncertain(f"after: {missing}; full_document is the document as looked up")
    return _applied("after", known, writes(described, known))


def became(change: Change, path: str, value: Any, *, assume_new: bool) -> bool:
    """See ``Change.became``."""

    def answer(was: Any, now: Any) -> bool:
        return now is not ABSENT and same(now, value) and not same(was, value)

    _no_stub(f"became {path!r}", change)
    seen = _seen(change, path)
    if seen is not None:
        return _of_all(f"became {path!r}", (answer(was, now) for was, now in seen))
    now = _value_now(change, path)
    if now is ABSENT or (now is not UNKNOWN and not same(now, value)):
        return False
    had = _had(change, path, value)
    if now is UNKNOWN and had:
        return False
    new = _described_change(change, path, or_filled=value is None)
    if new is False:
        return False
    if now is UNKNOWN:
        raise Uncertain(f"became {path!r}: {_missing(change)}")
    if had:
        raise Uncertain(f"became {path!r}: the update can be read in more than one way; {IMAGES}")
    if new or assume_new:
        return True
    raise Uncertain(f"became {path!r}: {NO_PRE_IMAGE}; assume_new=True assumes another value")


def changed(change: Change, path: str, *, assume_new: bool) -> bool:
    """See ``Change.changed``."""
    _no_stub(f"changed {path!r}", change)
    seen = _seen(change, path)
    if seen is not None:
        return _of_all(f"changed {path!r}", (not same(was, now) for was, now in seen))
    new = _described_change(change, path, or_filled=True)
    if new is None and not assume_new:
        raise Uncertain(f"changed {path!r}: {_missing(change)}; assume_new=True assumes a change")
    return new is not False


def diff(change: Change) -> Patch:
    """See ``Change.diff``."""
    _no_stub("diff", change)
    known, described = change.full_document_before_change, _described(change)
    if known is None and change.operation_type == "update" and described is not None:
        described_writes = writes(described, None)
        if all(_whole(write) for write in described_writes):
            return [_step(write) for write in described_writes]
    now = after(change)
    if known is None or now is None:
        return replacement(now) if change.operation_type in ("insert", "update", "replace", "delete") else []
    return patch(known, now)


def _no_stub(question: str, change: Change) -> None:
    """
    Raises:
        Uncertain: the change is a stub, so no question has an answer.
    """
    if change.poison is not None:
        raise Uncertain(f"{question}: {STUB}")


def _whole(write: Write) -> bool:
    """Whether a patch can express the write without the pre-image: a path into a field may lead through an array."""
    return write.names is not None and len(write.names) == 1 and not isinstance(write.value, Cut)


def _step(write: Write) -> dict[str, Any]:
    if write.value is ABSENT:
        return {"op": "remove", "path": _pointer(write.path)}
    return {"op": "add", "path": _pointer(write.path), "value": write.value}


def _pointer(name: str) -> str:
    """A top-level field as a JSON Pointer (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _seen(change: Change, path: str) -> list[tuple[Any, Any]] | None:
    """Return the old and new value of every field with this path; None if they are unknown."""
    if change.operation_type not in ("insert", "update", "replace"):
        return []
    try:
        was, now = before(change), after(change)
    except Uncertain:
        return _seen_in_part(change, path)
    return _both({} if was is None else was, {} if now is None else now, path)


def _seen_in_part(change: Change, path: str) -> list[tuple[Any, Any]] | None:
    """The same, from the pre-image and only those writes that concern the path: other paths may be ambiguous."""
    known, described = change.full_document_before_change, _described(change)
    if change.operation_type != "update" or known is None or described is None:
        return None
    described_writes = [write for write in writes(described, known) if _concerns(write, path)]
    try:
        return _both(known, _applied("", known, described_writes), path)
    except Uncertain:
        return None


def _both(was: Document, now: Document, path: str) -> list[tuple[Any, Any]]:
    old, new = found(was, path), found(now, path)
    return [(old.get(names, ABSENT), new.get(names, ABSENT)) for names in old | new]


def _of_all(question: str, answers: Iterable[bool]) -> bool:
    """
    Return the answer that all fields with this path share; False if there is no such field.

    Raises:
        Uncertain: the answers differ.
    """
    distinct = set(answers)
    if len(distinct) > 1:
        raise Uncertain(f"{question}: {COLLISION}; read before and after")
    return distinct.pop() if distinct else False


def _applied(question: str, known: Document, described_writes: Sequence[Write]) -> Document:
    try:
        return applied(known, described_writes)
    except Ambiguous as error:
        raise Uncertain(f"{question}: {error}; {IMAGES}") from error


def _concerns(write: Write, path: str) -> bool:
    """Whether the write is at, above or below the path, or at an element next to it, which can fill up the array."""
    if write.path == path or below(write.path, path) is not None or below(path, write.path) is not None:
        return True
    array, dot, last = write.path.rpartition(".")
    return bool(dot) and index(last) is not None and (path == array or below(path, array) is not None)


def _value_now(change: Change, path: str) -> Any:
    """Return the value at the path after the change, ABSENT, or UNKNOWN."""
    try:
        now = after(change)
    except Uncertain:
        described_writes = _writes_of(change)
        if any(_changes_part(write, path) for write in described_writes):
            return UNKNOWN
        cut = [ABSENT] if any(_cuts(write, path) for write in described_writes) else [UNKNOWN]
        values = [value for write in described_writes for value in _values(write, path)] or cut
    else:
        values = [*found(now, path).values()] or [ABSENT]
    if any(value is not values[0] and not same(value, values[0]) for value in values):
        raise Uncertain(f"became {path!r}: {COLLISION}")
    return values[0]


def _changes_part(write: Write, path: str) -> bool:
    """Whether the write changed only a part of the value at the path."""
    return below(write.path, path) is not None or (write.path == path and isinstance(write.value, Cut))


def _values(write: Write, path: str) -> Iterator[Any]:
    """Yield the values that the write set at the path, as far as it contains them."""
    rest = "" if write.path == path else below(path, write.path)
    if rest is None or isinstance(write.value, Cut):
        return
    if write.path == path or write.value is ABSENT:
        yield write.value
    else:
        yield from found(write.value, rest).values() or (ABSENT,)


def _described_change(change: Change, path: str, *, or_filled: bool) -> bool | None:
    """
    Whether the value at the path changed, by the update description alone; None if that does not decide it. An element may
    have been filled with null because a later element was set: with ``or_filled`` this counts as undecided.

    A server leaves out fields that an update set to their present value. A write at or below the path is therefore a change; a
    write above it may have kept this part.
    """
    if change.operation_type not in ("insert", "update", "replace"):
        return False
    if change.operation_type != "update" or _described(change) is None:
        return None
    described_writes = _writes_of(change)
    if or_filled and any(_fills(write, path) for write in described_writes):
        return None
    shown = [
        Reader(document) for document in (change.full_document_before_change, change.full_document) if document is not None
    ]
    answers = {_change_by(write, path, shown) for write in described_writes}
    if answers >= {True, None}:
        around = any(below(path, write.path) is not None and not isinstance(write.value, Cut) for write in described_writes)
        return None if around else True
    return True if True in answers else None if None in answers else False


def _change_by(write: Write, path: str, shown: Sequence[Reader]) -> bool | None:
    if write.path == path:
        return True
    if below(write.path, path) is not None:
        return _is_below(write, path, shown)
    if isinstance(write.value, Cut):
        return None if _cuts(write, path) else False
    return None if below(path, write.path) is not None else False


def _is_below(write: Write, path: str, shown: Sequence[Reader]) -> bool | None:
    """
    Whether the write is inside the field at the path, and not at a sibling whose name contains a dot.

    If nothing decides it, the answer is yes, unless a document of the change has a name with that dot.
    """
    if write.names is not None:
        return _leads_through(write.names, path)
    for document in shown:
        places = document.shows(write.path)
        if places is None or not all(_leads_through(names, path) for names in places):
            return None
    return True


def _leads_through(names: Names, path: str) -> bool:
    """Whether an enclosing place has this path. The path of ``names`` begins with ``path``."""
    length = -1
    for name in names[:-1]:
        length += len(str(name)) + 1
        if length >= len(path):
            break
    return length == len(path)


def _fills(write: Write, path: str) -> bool:
    """Whether a later element of the same array was set. If the array ended before both, this element is null now."""
    (array, _, one), (other_array, _, other) = path.rpartition("."), write.path.rpartition(".")
    if array != other_array or write.value is ABSENT or isinstance(write.value, Cut):
        return False
    if write.names is not None and isinstance(write.names[-1], str):
        return False
    here, there = index(one), index(other)
    return here is not None and there is not None and there > here


def _cuts(write: Write, path: str) -> bool:
    """Whether the write shortened an array so that the path is after its end."""
    rest = below(path, write.path)
    if rest is None or not isinstance(write.value, Cut):
        return False
    place = index(rest.partition(".")[0])
    return place is not None and place >= write.value.size


def _had(change: Change, path: str, value: Any) -> bool:
    """Whether a field of the pre-image with this path has the value."""
    known = change.full_document_before_change
    return known is not None and any(same(was, value) for was in found(known, path).values())


def _writes_of(change: Change) -> list[Write]:
    described = _described(change)
    return [] if described is None else writes(described, change.full_document_before_change)


def _described(change: Change) -> "UpdateDescription | None":
    """The update description, if the server sent one and it can be read."""
    described = change.update_description
    return described if described is not None and is_read(described) else None


def _undescribed(change: Change) -> str:
    return NO_DESCRIPTION if change.update_description is None else TOO_MANY


def _missing(change: Change) -> str:
    if change.operation_type != "update":
        return NO_PRE_IMAGE if change.full_document else NO_DOCUMENT
    if _described(change) is None:
        return _undescribed(change)
    return NO_PRE_IMAGE if change.full_document_before_change is None else f"the update can be read in two ways; {IMAGES}"
