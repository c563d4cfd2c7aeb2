"""The stages of a stream's own: whether they choose the same changes whenever they are read."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tailer.doctor.finding import Verdict, ok, warn
from tailer.settings.settings import Settings

_IN_EXPRESSION = re.compile(r'"\$fullDocument[".]')
_EXACT = ("default", "required")  # an update has no document, or the one just after it; all else is looked up later


def steady(settings: Settings) -> Verdict:
    """Whether a change that is read again matches again: its number, and those of all behind it, depend on that."""
    if not settings.pipeline:
        return ok("none")
    matches = [stage["$match"] for stage in settings.pipeline if "$match" in stage]
    exact = settings.full_document in _EXACT or settings.full_document_before_change == "required"
    if exact or not _reads_later({"$and": matches}):
        return ok("chooses the same changes whenever it is read")
    return warn(
        "a $match reads the looked-up fullDocument of updates: when changes are read again after a crash, others may match, "
        "and sequence numbers move to other changes",
        "restrict that $match to inserts and replaces (operationType), set TAILER_FULL_DOCUMENT=required, or use a mapper",
    )


def _reads_later(condition: Any) -> bool:
    """Whether an update can match or not by its looked-up document."""
    if not isinstance(condition, Mapping) or _without_updates(condition):
        return False
    for name, value in condition.items():
        if name.partition(".")[0] == "fullDocument":
            return True
        if name in ("$and", "$or", "$nor") and any(_reads_later(one) for one in value):
            return True
        if name == "$expr" and _IN_EXPRESSION.search(json.dumps(value, default=str)):
            return True
    return False


def _without_updates(condition: Any) -> bool:
    """Whether no update matches, by the operation alone."""
    if not isinstance(condition, Mapping):
        return False
    if any(_without_updates(one) for one in condition.get("$and", ())):
        return True
    match condition.get("operationType"):
        case str(only) | {"$eq": only}:
            return bool(only != "update")
        case {"$in": some}:
            return "update" not in some
        case {"$ne": other}:
            return bool(other == "update")
        case {"$nin": others}:
            return "update" in others
    return False
