"""The mistakes in the tables of a TOML file, by the names in the file."""

import difflib
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tailer.settings.names import as_keys
from tailer.settings.table import sections
from tailer.settings.toml_mistakes import unknown

_WORDS = {"missing": "it is missing", "string_pattern_mismatch": "the value does not have the right form"}


def problems(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """
    Return a line for each mistake, for example ``forwarder.timeout: the problem; what to set it to``.

    A misspelt name is one mistake, although the setting is missing under its right name as well. The unknown keys of a table
    are one line, which does not quote them.
    """
    found = error.errors()
    unknown_keys: dict[Any, list[str]] = {}
    misspelt: set[Any] = set()
    for *above, key in (one["loc"] for one in found if one["type"] == "extra_forbidden"):
        unknown_keys.setdefault(tuple(above), []).append(str(key))
        close = difflib.get_close_matches(str(key), _place(above, model)[0].model_fields, n=1)
        misspelt.update((*above, name) for name in close)
    known = [one for one in found if one["type"] != "extra_forbidden"]
    return [
        *(_line(one, model) for one in known if one["type"] != "missing" or one["loc"] not in misspelt),
        *(_at(above, unknown(keys, _place(above, model)[0].model_fields)) for above, keys in unknown_keys.items()),
    ]


def _line(problem: Any, model: type[BaseModel]) -> str:
    _, field = _place(problem["loc"], model)
    is_table = field is not None and any(sections(field.annotation))
    remedy = f"; {field.description}" if field and not is_table else ""  # the error of a table contains its remedy
    return _at(problem["loc"], _message(problem, is_table=is_table)) + remedy


def _at(loc: Sequence[int | str], text: str) -> str:
    return f"{'.'.join(map(str, loc))}: {text}" if loc else text


def _message(problem: Any, *, is_table: bool) -> str:
    kind, name = problem["type"], ".".join(part for part in problem["loc"] if isinstance(part, str))
    if kind == "tuple_type":
        return f"write [[{name}]], with two brackets, for each" if is_table else "it is a list: write it in brackets"
    if kind == "model_type" and isinstance(problem["input"], list):
        return f"there is one: write [{name}], with one bracket"
    if kind == "value_error":
        return as_keys(str(problem["ctx"]["error"]))
    return _WORDS.get(kind, str(problem["msg"]))


def _place(loc: Sequence[int | str], model: type[BaseModel]) -> tuple[type[BaseModel], FieldInfo | None]:
    """Return the innermost table of a problem, and the field of its setting if the problem has one."""
    section, field = model, None
    for name in (part for part in loc if isinstance(part, str)):
        field = section.model_fields.get(name)
        section = next(sections(field.annotation), section) if field else section
    return section, field
