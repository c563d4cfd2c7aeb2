"""Records of a DynamoDB stream that an item, or somebody who may invoke the function, could cause."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.hostile.mappers import CONTROLS, INNOCENT
from tests.hostile.outcome import PUBLISHED, Expected

NOT_OURS = "not the record of a DynamoDB stream"
FIRST = 4421584500000000017450439091  # from AWS's own examples


@dataclass(frozen=True, kw_only=True)
class HostileRecord:
    """An entry of the table: the fields that differ from a valid record, and the expected outcome."""

    fields: Mapping[str, Any]
    expected: Expected = (PUBLISHED,)


def record(number: int, table: str = INNOCENT, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a valid record of a table with these fields; names with a capital letter are fields of its image."""
    given = fields or {}
    key = {"pk": {"S": "k"}}
    image = {
        "ApproximateCreationDateTime": 1795330680,
        "Keys": key,
        "NewImage": key,
        "SequenceNumber": str(FIRST + number),
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    whole = {
        "eventID": f"c4ca4238a0b923820dcc509a6f75{number:04}",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": f"arn:aws:dynamodb:eu-west-1:123456789012:table/{table}/stream/2026-11-22T06:00:00.000",
        "dynamodb": image | {name: value for name, value in given.items() if name[0].isupper()},
    }
    return whole | {name: value for name, value in given.items() if not name[0].isupper()}


def holding(value: Any, *expected: str) -> HostileRecord:
    """Return an item with this attribute value."""
    return HostileRecord(fields={"NewImage": {"pk": {"S": "k"}, "a": value}}, expected=expected or (PUBLISHED,))


def keyed(keys: Any, *expected: str) -> HostileRecord:
    return HostileRecord(fields={"Keys": keys, "NewImage": keys}, expected=expected or (PUBLISHED,))


def saying(*expected: str, **fields: Any) -> HostileRecord:
    return HostileRecord(fields=fields, expected=expected or (PUBLISHED,))


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"NULL": True}
    for _ in range(levels):
        value = {"L": [value]}
    return value


RECORDS: Mapping[str, HostileRecord] = {
    "the number 1E+999999": holding({"N": "1E+999999"}),
    "the number 1E-999999": holding({"N": "1E-999999"}),
    "a number of a million digits": holding({"N": "9" * 1_000_000}),
    "a number that is none": holding({"N": CONTROLS}),
    "a number that is a list": holding({"N": []}),
    "a set with a number that is none": holding({"NS": ["x"]}, NOT_OURS),
    "a set of two types": holding({"SS": ["x", 1]}, NOT_OURS),
    "a binary that is not base64": holding({"B": "!"}),
    "a value of two types": holding({"S": "x", "N": "1"}, NOT_OURS),
    "a value of no type": holding({}, NOT_OURS),
    "a value of a type that nobody knows": holding({"X": CONTROLS}),
    "text and names of escapes": holding({"M": {CONTROLS: {"S": CONTROLS}}}),
    "text of lone surrogates": holding({"S": "\ud800"}, NOT_OURS),
    "an empty name": holding({"M": {"": {"S": ""}}}),
    "32 lists in one another": holding(nested(32)),
    "400 lists in one another": holding(nested(400), "nested more than 32 deep"),
    "a list of 400,000 nulls": holding({"L": [{"NULL": True}] * 400_000}),
    "a text of 5 MB": holding({"S": "x" * 5_000_000}),
    "a text of 1.2 million emoji": holding({"S": "😀" * 1_200_000}),
    "no keys": keyed({}, NOT_OURS),
    "a key that is a list": keyed({"pk": {"L": []}}, NOT_OURS),
    "a key that is no number": keyed({"pk": {"N": "x"}}, NOT_OURS),
    "a key that is the number 1E+999999": keyed({"pk": {"N": "1E+999999"}}),
    "a key that is not base64": keyed({"pk": {"B": "!"}}, NOT_OURS),
    "a key of escapes": keyed({"pk": {"S": CONTROLS}}),
    "a key of 900 kB": keyed({"pk": {"S": "k" * 900_000}}),
    "a number of the stream that is text": saying(NOT_OURS, SequenceNumber="x"),
    "a number of the stream of 40 digits": saying(SequenceNumber="9" * 40),
    "a number of the stream of 41 digits": saying(NOT_OURS, SequenceNumber="9" * 41),
    "a time that is NaN": saying(NOT_OURS, ApproximateCreationDateTime=float("nan")),
    "a time of 10^400": saying(NOT_OURS, ApproximateCreationDateTime=10**400),
    "a time before 1970": saying(NOT_OURS, ApproximateCreationDateTime=-1),
    "images that are lists": saying(NOT_OURS, NewImage=[]),
    "an insert without an image": saying(NOT_OURS, NewImage=None),
    "an operation of nobody": saying(NOT_OURS, eventName=CONTROLS),
    "an id that is a number": saying(NOT_OURS, eventID=7),
    "an id of escapes": saying(eventID=CONTROLS),
    "a table of nobody": saying(NOT_OURS, eventSourceARN=CONTROLS),
    "a user of nobody": saying(userIdentity=[CONTROLS]),
    "a record of nothing": saying(NOT_OURS, dynamodb=None),
}
