"""
States: the values of some fields of a document after a change, as far as they are known. The forwarder keeps the last state of
a document, because not every server sends the document before a change.
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from tailrace.questions.effects import concerns
from tailrace.questions.images import Uncertain, after, described
from tailrace.questions.paths import ABSENT, below, found
from tailrace.questions.readings import Cut, Write, writes
from tailrace.questions.updates import Ambiguous, applied
from tailrace.wire.change import Change, Document, Remembered, Value

VALUE_LIMIT = 1_024  # bytes of JSON; a larger value is not remembered

State = dict[str, Value]
"""The values of fields, by path. An unknown value is missing."""

_encode = msgspec.json.Encoder().encode


def state_after(change: Change, paths: Iterable[str], before: State) -> State:
    """Return the values at these paths after the change. ``before`` are the values just before it."""
    values = {path: _value_after(change, path, before.get(path)) for path in paths}
    return {path: value for path, value in values.items() if value is not None and _is_small(value)}


def remembered(paths: Iterable[str], before: State, now: State) -> dict[str, Remembered]:
    """Return what is known around a change, in the form in which the change carries it to a mapper."""
    return {path: Remembered(was=before.get(path), now=now.get(path)) for path in paths}


def value_in(document: Document, path: str, *, looked_up: bool = False) -> Value | None:
    """Return the value at the path; None if a name with a dot or a number makes the path ambiguous."""
    places = found(document, path)
    if not places:
        return Value(value=[], looked_up=looked_up)
    [*others, (names, value)] = places.items()
    return None if others or len(names) <= path.count(".") else Value(value=[value], looked_up=looked_up)


def _value_after(change: Change, path: str, before: Value | None) -> Value | None:
    if change.poison is not None:
        return None
    if change.operation_type == "delete":
        return Value(value=[])
    try:
        document = after(change)
    except Uncertain:
        document = None
    if document is not None:
        return value_in(document, path)
    if change.operation_type != "update":
        return None
    if described(change) is not None:
        return _value_by_description(change, path, before)
    return None if change.full_document is None else value_in(change.full_document, path, looked_up=True)


def _value_by_description(change: Change, path: str, before: Value | None) -> Value | None:
    """
    Return the value after an update, by its description. A path is read as leading from object to object, unless the
    looked-up document has a name with a dot there.
    """
    description = described(change)
    made = [write for write in writes(description, None) if concerns(write, path)] if description else []
    if not made:
        return before
    if any(_has_dotted_name(write, change.full_document) for write in made):
        return None
    if len(made) == 1 and not isinstance(made[0].value, Cut):
        [write] = made
        if write.path == path:
            return Value(value=[] if write.value is ABSENT else [write.value])
        if (rest := below(path, write.path)) is not None:
            return Value(value=[]) if write.value is ABSENT else value_in({"": write.value}, f".{rest}")
    return _value_with_writes(made, path, before)


def _has_dotted_name(write: Write, shown: Document | None) -> bool:
    if write.names is not None:
        return any("." in str(name) for name in write.names)
    return any(len(names) <= write.path.count(".") for names in found(shown or {}, write.path))


def _value_with_writes(made: list[Write], path: str, before: Value | None) -> Value | None:
    """Return the known value with writes at and below its path applied."""
    if before is None or not before.value:
        return None
    inside: list[Write] = []
    for write in made:
        rest = "" if write.path == path else below(write.path, path)
        if rest is None:
            return None
        if any(len(names) <= rest.count(".") for names in found(before.value[0], rest)):
            return None
        names = ("", *rest.split(".")) if rest else ("",)
        inside.append(Write(write.path, write.value, names))
    try:
        return replace(before, value=[applied({"": before.value[0]}, inside)[""]])
    except (Ambiguous, KeyError):
        return None


def _is_small(value: Value) -> bool:
    return not value.value or len(_encode(value.value[0])) <= VALUE_LIMIT
