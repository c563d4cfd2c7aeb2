"""``became``, ``changed``, ``was`` and ``diff``. They raise ``Uncertain`` if the server did not send enough."""

from collections.abc import Iterable
from typing import Any

from tailrace.questions.effects import change_by, changes_part, concerns, cuts, fills, values_at
from tailrace.questions.images import (
    COLLISION,
    IMAGES,
    NO_DOCUMENT,
    NO_PRE_IMAGE,
    Uncertain,
    after,
    after_writes,
    before,
    described,
    refuse_stub,
    undescribed,
)
from tailrace.questions.memory import hint, informed
from tailrace.questions.patches import Patch, patch, replacement
from tailrace.questions.paths import ABSENT, below, found, same
from tailrace.questions.readings import Cut, Reader, Write, writes
from tailrace.wire.change import Change, Document

UNKNOWN: Any = object()


def was(change: Change, path: str, *, assume_current: bool) -> Any:
    """See ``Change.was``."""
    refuse_stub(f"was {path!r}", change)
    change = informed(change, path, assume_current=assume_current)
    try:
        values = [*found(before(change) or {}, path).values()] or [None]
    except Uncertain as error:
        raise Uncertain(f"was {path!r}: {NO_PRE_IMAGE}; {hint(change, path)}") from error
    if any(not same(value, values[0]) for value in values):
        raise Uncertain(f"was {path!r}: {COLLISION}")
    return values[0]


def became(change: Change, path: str, value: Any, *, assume_new: bool, assume_current: bool) -> bool:
    """See ``Change.became``."""

    def is_new(was: Any, now: Any) -> bool:
        return now is not ABSENT and same(now, value) and not same(was, value)

    refuse_stub(f"became {path!r}", change)
    change = informed(change, path, assume_current=assume_current)
    seen = _seen(change, path)
    if seen is not None:
        return _of_all(f"became {path!r}", (is_new(was, now) for was, now in seen))
    now = _value_now(change, path)
    if now is ABSENT or (now is not UNKNOWN and not same(now, value)):
        return False
    known = change.full_document_before_change
    had = known is not None and any(same(was, value) for was in found(known, path).values())
    if now is UNKNOWN and had:
        return False
    new = _described_change(change, path, or_filled=value is None)
    if new is False:
        return False
    if now is UNKNOWN:
        raise Uncertain(f"became {path!r}: {_missing(change)}; {hint(change, path)}")
    if had:
        raise Uncertain(f"became {path!r}: a path of the update is ambiguous; {IMAGES}")
    if new or assume_new:
        return True
    raise Uncertain(f"became {path!r}: {NO_PRE_IMAGE}; {hint(change, path)}; assume_new=True assumes that it differs")


def changed(change: Change, path: str, *, assume_new: bool, assume_current: bool) -> bool:
    """See ``Change.changed``."""
    refuse_stub(f"changed {path!r}", change)
    change = informed(change, path, assume_current=assume_current)
    seen = _seen(change, path)
    if seen is not None:
        return _of_all(f"changed {path!r}", (not same(was, now) for was, now in seen))
    new = _described_change(change, path, or_filled=True)
    if new is None and not assume_new:
        raise Uncertain(f"changed {path!r}: {_missing(change)}; {hint(change, path)}; assume_new=True assumes a change")
    return new is not False


def diff(change: Change) -> Patch:
    """See ``Change.diff``."""
    refuse_stub("diff", change)
    known, description = change.full_document_before_change, described(change)
    if known is None and change.operation_type == "update" and description is not None:
        described_writes = writes(description, None)
        # without the pre-image a patch cannot express a path into a field, because it may lead through an array
        if all(write.names and len(write.names) == 1 and not isinstance(write.value, Cut) for write in described_writes):
            return [_step(write) for write in described_writes]
    now = after(change)
    if known is None or now is None:
        return replacement(now) if change.operation_type in ("insert", "update", "replace", "delete") else []
    return patch(known, now)


def _step(write: Write) -> dict[str, Any]:
    pointer = "/" + write.path.replace("~", "~0").replace("/", "~1")  # JSON Pointer, RFC 6901
    if write.value is ABSENT:
        return {"op": "remove", "path": pointer}
    return {"op": "add", "path": pointer, "value": write.value}


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
    known, description = change.full_document_before_change, described(change)
    if change.operation_type != "update" or known is None or description is None:
        return None
    described_writes = [write for write in writes(description, known) if concerns(write, path)]
    try:
        return _both(known, after_writes("", known, described_writes), path)
    except Uncertain:
        return None


def _both(was: Document, now: Document, path: str) -> list[tuple[Any, Any]]:
    old, new = found(was, path), found(now, path)
    return [(old.get(names, ABSENT), new.get(names, ABSENT)) for names in old | new]


def _of_all(question: str, results: Iterable[bool]) -> bool:
    """
    Return the result that all fields with this path share; False without such a field. Raise ``Uncertain`` if they differ.
    """
    distinct = set(results)
    if len(distinct) > 1:
        raise Uncertain(f"{question}: {COLLISION}; compare before and after")
    return distinct.pop() if distinct else False


def _value_now(change: Change, path: str) -> Any:
    """Return the value at the path after the change, ABSENT, or UNKNOWN."""
    try:
        now = after(change)
    except Uncertain:
        described_writes = _writes_of(change)
        if any(changes_part(write, path) for write in described_writes):
            return UNKNOWN
        cut = [ABSENT] if any(cuts(write, path) for write in described_writes) else [UNKNOWN]
        values = [value for write in described_writes for value in values_at(write, path)] or cut
    else:
        values = [*found(now, path).values()] or [ABSENT]
    if any(value is not values[0] and not same(value, values[0]) for value in values):
        raise Uncertain(f"became {path!r}: {COLLISION}")
    return values[0]


def _described_change(change: Change, path: str, *, or_filled: bool) -> bool | None:
    """
    Whether the value at the path changed, from the update description alone; None if that does not decide it. With
    ``or_filled``, an element that may have been filled with null, because a later element was set, is undecided.

    A server leaves out fields that an update set to their present value. So a write at or below the path is a change, and a
    write above it may have kept the value.
    """
    if change.operation_type not in ("insert", "update", "replace"):
        return False
    if change.operation_type != "update" or described(change) is None:
        return None
    described_writes = _writes_of(change)
    if or_filled and any(fills(write, path) for write in described_writes):
        return None
    shown = [
        Reader(document) for document in (change.full_document_before_change, change.full_document) if document is not None
    ]
    results = {change_by(write, path, shown) for write in described_writes}
    if results >= {True, None}:
        around = any(below(path, write.path) is not None and not isinstance(write.value, Cut) for write in described_writes)
        return None if around else True
    return True if True in results else None if None in results else False


def _writes_of(change: Change) -> list[Write]:
    description = described(change)
    return [] if description is None else writes(description, change.full_document_before_change)


def _missing(change: Change) -> str:
    if change.operation_type != "update":
        return NO_PRE_IMAGE if change.full_document else NO_DOCUMENT
    if described(change) is None:
        return undescribed(change)
    return NO_PRE_IMAGE if change.full_document_before_change is None else f"a path of the update is ambiguous; {IMAGES}"
