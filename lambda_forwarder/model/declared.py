"""
Checks the JSON of an event against the types that its class declares, with little memory.

Where the declaration allows any value (``Any``, the fields of a ``Document``), the JSON is skipped and not decoded.
"""

import types
from collections.abc import Callable
from functools import cache
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec import Raw, Struct


class _Object(Struct):
    """Any JSON object: msgspec skips fields that a struct does not declare."""


class _Array(Struct, array_like=True):
    """Any JSON array: msgspec skips elements beyond the declared fields."""


@cache
def checker(event: type[Struct]) -> Callable[[bytes], object]:
    """
    Return the check of such an event's JSON. It raises ``msgspec.ValidationError`` if a field does not have its declared type.
    """
    fields = [
        (
            field.name,
            _skipping(field.type),
            msgspec.field(name=field.encode_name, **({} if field.required else {"default": None})),
        )
        for field in msgspec.structs.fields(event)
    ]
    try:
        skipping: Any = msgspec.defstruct(event.__name__, fields, kw_only=True, array_like=event.__struct_config__.array_like)
        return msgspec.json.Decoder(skipping).decode
    except TypeError:  # a union whose members differ only in their contents
        return msgspec.json.Decoder(event).decode


def _skipping(declared: Any) -> Any:
    """The same type, with ``_Object``, ``_Array`` or ``Raw`` in place of parts that allow any value."""
    origin, parameters = get_origin(declared), get_args(declared)
    if declared is Any:
        return Raw
    if declared is dict or (origin is dict and parameters == (str, Any)):
        return _Object
    if declared is list or (origin is list and parameters == (Any,)):
        return _Array
    if origin in (list, dict):
        return origin[tuple(map(_skipping, parameters))]
    if origin in (Union, types.UnionType) and Any not in parameters:
        return Union[tuple(map(_skipping, parameters))]  # noqa: UP007 - the number of members is unknown
    return declared
