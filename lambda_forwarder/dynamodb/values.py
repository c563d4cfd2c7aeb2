"""Converts DynamoDB's attribute values to plain JSON, by the rules that the tailer has for BSON."""

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from tailrace.wire import identity
from tailrace.wire.change import Document

AttributeValue = Mapping[str, Any]
"""A value with the name of its type: ``{"N": "4711"}``."""

Image = Mapping[str, AttributeValue]
"""An item, or its keys: attribute values by their names."""

NESTING = 32  # levels of maps and lists in an attribute, DynamoDB
INT64 = range(-(2**63), 2**63)
INT64_DIGITS = 19


def item(image: Image, left: int = NESTING) -> Document:
    """Return an item. ``left``: levels of maps and lists that may still follow."""
    return {name: plain(value, left) for name, value in image.items()}


def plain(value: AttributeValue, left: int = NESTING) -> Any:
    """
    Return the JSON value. Binary is base64 text, as in Lambda's event. A set is a list in a stable order. An unknown type stays
    as it is. Only NULL is null. ``left`` as for ``item``.
    """
    if left < 0:
        raise ValueError(f"the value is nested more than {NESTING} deep")
    [(kind, held)] = value.items()
    match kind:
        case "S" | "BOOL" | "B":
            return held
        case "N":
            return number(held)
        case "NULL":
            return None
        case "M":
            return item(held, left - 1)
        case "L":
            return [plain(element, left - 1) for element in held]
        case "SS" | "BS":
            return sorted(held)  # a set has no order, and a repeat must give the same JSON
        case "NS":
            return [number(element) for element in sorted(held, key=Decimal)]
    return {kind: held}


def key_text(keys: Image) -> str:
    """The text that identifies an item, by ``tailrace.wire.identity``: its partition key, or both keys with their names."""
    if len(keys) == 1:
        [value] = keys.values()
        return _key(value, identity.string)
    return identity.document((identity.quoted(name), _key(keys[name], identity.quoted)) for name in sorted(keys))


def _key(value: AttributeValue, written: Callable[[str], str]) -> str:
    match value:
        case {"S": str(text)}:
            return written(text)
        case {"N": str(text)}:
            return _number_key(text)
        case {"B": str(text)}:
            return identity.binary(base64.b64decode(text, validate=True))
        case _:
            raise ValueError(f"a key is S, N or B, not {', '.join(value)}")


def _number_key(text: str) -> str:
    try:
        return identity.number(Decimal(text))
    except ArithmeticError as error:
        raise ValueError(f"{text[:40]!r} is not a number of DynamoDB") from error


def number(text: str) -> int | float | str:
    """
    Return a number if readers of JSON keep it exact: an int64, or a fraction that a double holds to the last digit. Otherwise
    return its text: DynamoDB's numbers have up to 38 digits.
    """
    try:
        exact = Decimal(text)
        if exact.adjusted() > INT64_DIGITS:  # int() of 1E999999999 would need all memory
            return text
        if exact == int(exact):
            return int(exact) if int(exact) in INT64 else text
    except (InvalidOperation, OverflowError, ValueError):
        return text
    double = float(exact)
    return double if Decimal(repr(double)) == exact else text
