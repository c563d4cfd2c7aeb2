"""
Whether an event's JSON is of the types that its class declares, without decoding all of it a second time.

Where a declaration allows anything (``Any``, the fields of a ``Document``), the JSON is skipped: a whole document takes no
memory here.
"""

import types
from collections.abc import Callable
from functools import cache
from typing import Any, Union, get_args, get_origin

import msgspec
from msgspec import Raw, Struct


class _Object(Struct):
    """Any JSON object: a struct skips the fields that it does not know."""


class _Array(Struct, array_like=True):
    """Any JSON array: such a struct skips the elements beyond its fields."""


@cache
def checker(event: type[Struct]) -> Callable[[bytes], object]:
    """
    What reads the JSON of such an event, and keeps next to nothing of it.

    Raises, when called:
        msgspec.ValidationError: a field is not of its declared type.
    """
    fields = [(one.name, _skipping(one.type), _named(one)) for one in msgspec.structs.fields(event)]
    like = event.__struct_config__
    try:
        skipping: Any = msgspec.defstruct(event.__name__, fields, kw_only=True, array_like=like.array_like)
        return msgspec.json.Decoder(skipping).decode
    except TypeError:  # a union of things that are told apart only by what they hold
        return msgspec.json.Decoder(event).decode


def _named(field: msgspec.structs.FieldInfo) -> Any:
    return msgspec.field(name=field.encode_name) if field.required else msgspec.field(name=field.encode_name, default=None)


def _skipping(declared: Any) -> Any:
    """The same type, with something that is skipped in place of what may hold anything."""
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
        return Union[tuple(map(_skipping, parameters))]  # noqa: UP007 - of as many as there are
    return declared
