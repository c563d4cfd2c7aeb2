"""DynamoDB's attribute values as plain JSON, by the rules that the tailer has for BSON."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from contract.change import Document

AttributeValue = Mapping[str, Any]
"""A value under the name of its type, as in the record of a stream: ``{"N": "4711"}``."""

Image = Mapping[str, AttributeValue]
"""An item, or its keys: attribute values by their names."""

INT64 = range(-(2**63), 2**63)


def item(image: Image) -> Document:
    """An item, from its image."""
    return {name: plain(value) for name, value in image.items()}


def plain(value: AttributeValue) -> Any:
    """
    The JSON value. Binary is base64 text, as Lambda hands it over; a set is a list in a stable order; a type that we do not
    know stays as it came. Only NULL is null.
    """
    [(kind, held)] = value.items()
    match kind:
        case "S" | "BOOL" | "B":
            return held
        case "N":
            return number(held)
        case "NULL":
            return None
        case "M":
            return item(held)
        case "L":
            return [plain(element) for element in held]
        case "SS" | "BS":
            return sorted(held)  # a set has no order, and a repeat of the record must give the same
        case "NS":
            return [number(element) for element in sorted(held, key=Decimal)]
    return {kind: held}


def number(text: str) -> int | float | str:
    """
    A number where JSON's readers keep it exact: an int64, or a fraction that a double holds to the last digit. Else its text:
    DynamoDB's numbers have 38 digits.
    """
    try:
        exact = Decimal(text)
        if exact == int(exact):
            return int(exact) if int(exact) in INT64 else text
    except (InvalidOperation, OverflowError, ValueError):
        return text
    double = float(exact)
    return double if Decimal(repr(double)) == exact else text
