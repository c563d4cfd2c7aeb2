"""Settings that are lists or times: each may be given in several forms. An error names the right form."""

import json
from datetime import datetime
from typing import Any

from bson import json_util

STAGES = {"$match", "$project", "$redact", "$addFields", "$replaceRoot", "$set", "$unset"}  # what change streams allow
_NAMES = 'it is a list of names: payments,refunds in a variable, ["payments", "refunds"] in TOML'
_STAGES = 'it is a list in [ ]: [{"$match": {"operationType": "insert"}}]'


def names(value: Any) -> Any:
    """Return the names of a list, or of a text that is separated by commas."""
    if isinstance(value, str):
        if value.strip()[:1] in ("[", "{", '"', "'"):
            raise ValueError(f"{_NAMES}; without brackets and quotes in a variable")
        return tuple(name.strip() for name in value.split(",") if name.strip())
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError(_NAMES)
    return tuple(value)


def stages(value: Any) -> Any:
    """Return the stages of a list, or of a JSON list; none for an empty text. Refuse a stage that no change stream allows."""
    found = _of_json(value) if isinstance(value, str) else value
    if not isinstance(found, list | tuple):
        remedy = "; put [ and ] around the stage" if isinstance(found, dict) else ""
        raise ValueError(f"{_STAGES}{remedy}")  # noqa: TRY004 - pydantic expects a ValueError
    for stage in found:
        if not isinstance(stage, dict) or len(stage) != 1 or not stage.keys() <= STAGES:
            raise ValueError(f"{_STAGES}; a stage is an object with one of {', '.join(sorted(STAGES))}")
    return tuple(found)


def moment(value: Any) -> Any:
    """Return the text of a time that TOML has parsed."""
    return value.isoformat() if isinstance(value, datetime) else value


def _of_json(text: str) -> Any:
    if not text.strip():
        return ()
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" ({error.msg}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"{_STAGES}; this is not JSON{where}: put names and strings in double quotes") from None
    try:
        return json_util.loads(text)
    except Exception as error:  # of any type: each type of Extended JSON fails in its own way
        raise ValueError(f"{_STAGES}; this is not Extended JSON: {error}") from None
