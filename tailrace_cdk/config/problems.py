"""The mistakes of an environment, by the names in its file."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tailer.settings.names import as_keys
from tailer.settings.toml_mistakes import unknown

_WORDS = {"missing": "it is missing", "string_pattern_mismatch": "the value does not have the right form"}


def problems(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """
    A line for each mistake, ``forwarder.timeout: what is wrong; what to set it to``.

    A setting whose name is misspelt is one mistake, though under its right name it is missing as well. Keys that
    are no settings are one line for each table, which does not repeat them.
    """
    found = error.errors()
    meant = {(*one["loc"][:-1], close) for one in found if one["type"] == "extra_forbidden" for close in _close(one, model)}
    counted = [one for one in found if one["type"] != "missing" or one["loc"] not in meant]
    others: dict[Any, list[str]] = {}
    for one in counted:
        if one["type"] == "extra_forbidden":
            others.setdefault(one["loc"][:-1], []).append(str(one["loc"][-1]))
    known = [one for one in counted if one["type"] != "extra_forbidden"]
    return [
        *(_line(one, message, model) for one in known for message in _messages(one, model)),
        *(_unknown(above, keys, model) for above, keys in others.items()),
    ]


def _unknown(above: Sequence[int | str], keys: Sequence[str], model: type[BaseModel]) -> str:
    unknown_keys = unknown(keys, _place(above, model)[0].model_fields)
    return f"{'.'.join(map(str, above))}: {unknown_keys}" if above else unknown_keys


def _line(problem: Any, message: str, model: type[BaseModel]) -> str:
    _, field = _place(problem["loc"], model)
    remedy = field.description if field and not any(_sections(field.annotation)) else None  # a section's error says its own
    return "; ".join(filter(None, [": ".join(filter(None, [".".join(map(str, problem["loc"])), message])), remedy]))


def _messages(problem: Any, model: type[BaseModel]) -> Sequence[str]:
    """What is wrong. One check may find several mistakes."""
    kind, name = problem["type"], ".".join(part for part in problem["loc"] if isinstance(part, str))
    _, field = _place(problem["loc"], model)
    if kind == "tuple_type":
        tables = field is not None and any(_sections(field.annotation))
        return [f"write [[{name}]], with two brackets, for each" if tables else "it is a list: write it in brackets"]
    if kind == "model_type" and isinstance(problem["input"], Sequence) and not isinstance(problem["input"], str):
        return [f"there is one: write [{name}], with one bracket"]
    if kind == "value_error":
        return [as_keys(str(problem["ctx"]["error"]))]
    return [_WORDS.get(kind, problem["msg"])]


def _close(problem: Any, model: type[BaseModel]) -> list[str]:
    """The settings that an unknown name resembles."""
    *above, last = problem["loc"]
    return difflib.get_close_matches(str(last), _place(above, model)[0].model_fields, n=1)


def _place(loc: Sequence[int | str], model: type[BaseModel]) -> tuple[type[BaseModel], FieldInfo | None]:
    """The innermost table of a problem, and the setting's field if the problem has one."""
    section, field = model, None
    for part in loc:
        if isinstance(part, str):
            fields: Mapping[str, FieldInfo] = section.model_fields
            field = fields.get(part)
            section = next(_sections(field.annotation), section) if field else section
    return section, field


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _sections(part)
