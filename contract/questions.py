"""The answers to what one asks of a change, from what the server told of it. What it did not tell is Uncertain."""

from typing import TYPE_CHECKING, Any

from contract.paths import ABSENT, Document, at, below, same
from contract.updates import Ambiguous, applied

if TYPE_CHECKING:
    from contract.change import Change, UpdateDescription

UNKNOWN: Any = object()

NO_PRE_IMAGE = "there is no pre-image, so what was there before is not known"
NO_DESCRIPTION = "there is no update description, and a looked-up document may be newer than the change"
NO_DOCUMENT = "the document that the change must carry is not there"

Patch = list[dict[str, Any]]
"""A JSON Patch (RFC 6902)."""


class Uncertain(Exception):
    """The server did not tell enough to answer, and a guess could be wrong. The message says what is missing."""


def before(change: "Change") -> Document | None:
    """See ``Change.before``."""
    if change.operation_type in ("update", "replace", "delete"):
        if change.full_document_before_change is None:
            raise Uncertain(f"before: {NO_PRE_IMAGE}")
        return change.full_document_before_change
    return None


def after(change: "Change") -> Document | None:
    """See ``Change.after``."""
    if change.operation_type in ("insert", "replace"):
        if change.full_document is None:
            raise Uncertain(f"after: {NO_DOCUMENT}")
        return change.full_document
    if change.operation_type != "update":
        return None
    described, known = change.update_description, change.full_document_before_change
    if described is None or known is None:
        missing = NO_DESCRIPTION if described is None else "there is no pre-image to which the update could be applied"
        raise Uncertain(f"after: {missing}; full_document is the document as looked up")
    try:
        return applied(
            known,
            updated=described.updated_fields,
            removed=described.removed_fields,
            truncated=described.truncated_arrays,
        )
    except Ambiguous as error:
        raise Uncertain(f"after: {error}") from error


def became(change: "Change", path: str, value: Any, *, assume_new: bool) -> bool:
    """See ``Change.became``."""
    now, known = _now(change, path), change.full_document_before_change
    if now is ABSENT or (now is not UNKNOWN and not same(now, value)):
        return False
    if known is not None and same(at(known, path), value):
        return False
    new = _changed(change, path, or_filled=value is None)
    if new is False:
        return False
    if now is UNKNOWN:
        raise Uncertain(f"became {path!r}: {_missing(change)}")
    if new or assume_new:
        return True
    raise Uncertain(f"became {path!r}: {NO_PRE_IMAGE}; assume_new=True takes it for another value")


def changed(change: "Change", path: str, *, assume_new: bool) -> bool:
    """See ``Change.changed``."""
    new = _changed(change, path, or_filled=True)
    if new is None and not assume_new:
        raise Uncertain(f"changed {path!r}: {_missing(change)}; assume_new=True takes it for changed")
    return new is not False


def diff(change: "Change") -> Patch:
    """See ``Change.diff``."""
    known, described = change.full_document_before_change, change.update_description
    if known is None and change.operation_type == "update" and described is not None and _whole_fields_only(described):
        removed: Patch = [{"op": "remove", "path": _pointer(name)} for name in described.removed_fields]
        return removed + [{"op": "add", "path": _pointer(name), "value": v} for name, v in described.updated_fields.items()]
    now = after(change)
    if known is None or now is None:
        whole = change.operation_type in ("insert", "replace", "delete")
        return [{"op": "replace", "path": "", "value": now}] if whole else []
    from jsonpatch import make_patch  # 20 ms of a cold start, only where somebody asks for a patch

    patch: Patch = make_patch(known, now).patch
    return patch


def _whole_fields_only(described: "UpdateDescription") -> bool:
    """Whether a patch can say it without the document before: paths within a field may have to make what they lead through."""
    return not described.truncated_arrays and not any(
        "." in path for path in (*described.updated_fields, *described.removed_fields)
    )


def _pointer(name: str) -> str:
    """A top-level field as a JSON Pointer (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _now(change: "Change", path: str) -> Any:
    """What the change left at the path: a value, ABSENT, or UNKNOWN."""
    try:
        now = after(change)
    except Uncertain:
        return _described(change.update_description, path)
    return ABSENT if now is None else at(now, path)


def _described(described: "UpdateDescription | None", path: str) -> Any:
    """What an update says it left at the path, or around it."""
    if described is None:
        return UNKNOWN
    for field, value in described.updated_fields.items():
        rest = below(path, field)
        if rest is not None:
            return at(value, rest)
    if any(below(path, field) is not None for field in described.removed_fields) or _cut(described, path):
        return ABSENT
    return UNKNOWN


def _changed(change: "Change", path: str, *, or_filled: bool) -> bool | None:
    """
    Whether the change left another value at the path than was there; None where the server did not tell. An element that
    may have been filled with null, because a later one was set, counts as not told if it matters (``or_filled``).
    """
    if change.operation_type not in ("insert", "update", "replace"):
        return False
    try:
        was, now = before(change), after(change)
    except Uncertain:
        described = change.update_description if change.operation_type == "update" else None
        if described is None or (or_filled and _filled(described, path)):
            return None
        return _touched(described, path)
    return not same(ABSENT if was is None else at(was, path), ABSENT if now is None else at(now, path))


def _touched(described: "UpdateDescription", path: str) -> bool | None:
    """
    By the description alone. A server leaves out what an update set to the value it had, so what is told at or below the
    path is a change; above it, it may have left this part as it was.
    """
    fields = [*described.updated_fields, *described.removed_fields]
    shortened = [array["field"] for array in described.truncated_arrays]
    if any(below(field, path) is not None for field in (*fields, *shortened)):
        return True
    if any(below(path, field) is not None for field in fields) or _cut(described, path):
        return None
    return False


def _filled(described: "UpdateDescription", path: str) -> bool:
    """Whether a later element of the same array was set: had the array ended before both, this one is null now."""
    array, _, index = path.rpartition(".")
    later = (field.rpartition(".") for field in described.updated_fields)
    return index.isdecimal() and any(of == array and other.isdecimal() and int(other) > int(index) for of, _, other in later)


def _cut(described: "UpdateDescription", path: str) -> bool:
    """Whether the path leads to where an array now ends, or beyond."""
    for array in described.truncated_arrays:
        index = (below(path, array["field"]) or "").partition(".")[0]
        if index.isdecimal() and int(index) >= array["newSize"]:
            return True
    return False


def _missing(change: "Change") -> str:
    if change.operation_type != "update":
        return NO_PRE_IMAGE if change.full_document else NO_DOCUMENT
    return NO_DESCRIPTION if change.update_description is None else NO_PRE_IMAGE
