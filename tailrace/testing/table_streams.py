"""Builds changes as the stream of a DynamoDB table reports them, read by the forwarder's own code."""

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from lambda_forwarder.handlers.dynamodb_records import DIGITS, TTL, VIEW, read
from tailrace.change import Change
from tailrace.testing.moments import Moments
from tailrace.testing.writes import Document, write

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/{table}/stream/2026-01-01T00:00:00.000"


class TableStream:
    """
    Builds the changes of one table. Items are plain Python values. Changes are numbered from 1, and a change is a second after
    the one before it, unless it says ``at``.

    Make one with ``dynamodb``.
    """

    def __init__(self, table: str, key: str, sort_key: str = "") -> None:
        self._arn = ARN.format(table=table)
        self._keys = [name for name in (key, sort_key) if name]
        self._moments = Moments()

    def insert(self, after: Document, *, at: datetime | None = None) -> Change:
        """The item was put into the table for the first time."""
        return self._change("INSERT", None, after, at)

    def update(
        self,
        before: Document,
        set: Document | None = None,  # noqa: A002 - DynamoDB's name too
        unset: Iterable[str] = (),
        *,
        at: datetime | None = None,
    ) -> Change:
        """
        Attributes of this item were set and others removed, by dotted path.

        Raises:
            ValueError: nothing changes, so DynamoDB writes no record.
        """
        return self._change("MODIFY", before, write(before, set or {}, unset).after, at)

    def replace(self, before: Document, after: Document, *, at: datetime | None = None) -> Change:
        """The item was put again: DynamoDB reports the same as for an update."""
        return self._change("MODIFY", before, {name: before[name] for name in self._keys} | dict(after), at)

    def delete(self, before: Document, *, expired: bool = False, at: datetime | None = None) -> Change:
        """The item was deleted, by a client or, with ``expired``, because its time to live was over."""
        return self._change("REMOVE", before, None, at, expired=expired)

    def _change(
        self, name: str, old: Document | None, new: Document | None, at: datetime | None, *, expired: bool = False
    ) -> Change:
        if old and new and any(old[key] != new.get(key) for key in self._keys):
            raise ValueError("the key of an item never changes: DynamoDB refuses the write")
        moment = self._moments.next(at)
        images = {"OldImage": old, "NewImage": new}
        keys = {key: (old or new or {})[key] for key in self._keys}
        record = {
            "eventID": moment.digest(self._arn).lower(),
            "eventName": name,
            "eventSource": "aws:dynamodb",
            "eventSourceARN": self._arn,
            "dynamodb": {
                "ApproximateCreationDateTime": float(moment.seconds),
                "Keys": _image(keys),
                **{image: _image(value) for image, value in images.items() if value is not None},
                "SequenceNumber": str(DIGITS + moment.number),
                "StreamViewType": VIEW,
            },
            **({"userIdentity": {"type": "Service", "principalId": TTL["principalid"]}} if expired else {}),
        }
        [change] = read(record, moment.seconds).changes
        return change


def dynamodb(table: str, key: str, sort_key: str = "") -> TableStream:
    """Build changes of this table as its stream reports them. ``key`` and ``sort_key`` are the names of the table's keys."""
    return TableStream(table, key, sort_key)


def _image(values: Document) -> dict[str, dict[str, Any]]:
    return {name: _attribute(value) for name, value in values.items()}


def _attribute(value: Any) -> dict[str, Any]:
    """The attribute value as a record in a Lambda event has it: numbers are text, and binary is base64 text."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float() | Decimal():
            return {"N": _number(value)}
        case str():
            return {"S": value}
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case list():
            return {"L": [_attribute(element) for element in value]}
        case Mapping():
            return {"M": _image(value)}
        case set() | frozenset():
            [kind] = {kind for element in value for kind in _attribute(element)}
            return {f"{kind}S": [_attribute(element)[kind] for element in value]}
    raise TypeError(f"DynamoDB stores no {type(value).__name__}: an application writes a time as text or as a number")


def _number(value: float | Decimal) -> str:
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return f"{exact.normalize():f}"
