"""Whether TAILER_PIPELINE selects the same changes whenever they are read."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tailer.checks import Finding, ok, warn
from tailer.mongodb.watch import Watch

_IN_EXPRESSION = re.compile(r'"\$fullDocument[".]')
_EXACT = ("default", "required")  # an update has no document, or its post-image; any other document is looked up later


def selects_the_same(watch: Watch) -> Finding:
    """Check that a change that is read again matches again: the sequence numbers from there on depend on it."""
    if not watch.pipeline:
        return ok("none")
    matches = [stage["$match"] for stage in watch.pipeline if "$match" in stage]
    exact = watch.full_document in _EXACT or watch.full_document_before_change == "required"
    if exact or not _uses_lookup({"$and": matches}):
        return ok("selects the same changes whenever it is read")
    return warn(
        "a $match reads the looked-up fullDocument of updates: when changes are read again after a crash, others may match, "
        "and sequence numbers move to other changes",
        "restrict that $match to inserts and replaces (operationType), set TAILER_FULL_DOCUMENT=required, or use a mapper",
    )


def _uses_lookup(condition: Any) -> bool:
    """Whether the looked-up document of an update decides if the update matches."""
    if not isinstance(condition, Mapping) or _without_updates(condition):
        return False
    for name, value in condition.items():
        if name.partition(".")[0] == "fullDocument":
            return True
        if name in ("$and", "$or", "$nor") and any(map(_uses_lookup, value)):
            return True
        if name == "$expr" and _IN_EXPRESSION.search(json.dumps(value, default=str)):
            return True
    return False


def _without_updates(condition: Any) -> bool:
    """Whether the condition excludes updates by their operation."""
    if not isinstance(condition, Mapping):
        return False
    if any(map(_without_updates, condition.get("$and", ()))):
        return True
    match condition.get("operationType"):
        case str(only) | {"$eq": only}:
            return bool(only != "update")
        case {"$in": operations}:
            return "update" not in operations
        case {"$ne": other}:
            return bool(other == "update")
        case {"$nin": operations}:
            return "update" in operations
    return False
