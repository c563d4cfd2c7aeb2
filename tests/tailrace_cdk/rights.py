"""Compares the calls of a program with the rights of its role: the part of IAM's rules that our statements use."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest
from botocore.client import BaseClient

from tailrace.dev.aws import arn

NAMES = {  # IAM's names of calls with other names; a batch is checked as the single call
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
    "HeadBucket": "ListBucket",
    "Invoke": "InvokeFunction",
}
FREE = {"sts:GetCallerIdentity"}  # Nobody needs a right for these.

Statement = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call as IAM evaluates it, with its partition keys."""

    action: str
    resource: str
    keys: tuple[str, ...] = ()


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[Call]]:
    """Record every call of any boto3 client of this process."""
    calls: set[Call] = set()
    whole = BaseClient._make_api_call

    def recording(self: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
        calls.update(_calls(self.meta.service_model.service_name, operation, parameters))
        return whole(self, operation, parameters)

    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", recording)
        yield calls


def allowed(call: Call, statements: Sequence[Statement]) -> bool:
    """Whether one of the statements allows the call."""
    return call.action in FREE or any(_matches(call, statement) for statement in statements)


def used(statement: Statement, calls: set[Call]) -> set[str]:
    """Return the statement's actions that one of the calls needed."""
    return {call.action for call in calls if _matches(call, statement)}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _matches(call: Call, statement: Statement) -> bool:
    conditions = statement.get("Condition", {})
    assert set(conditions) in (set(), {"ForAllValues:StringLike", "Null"}), conditions
    keys = listed(conditions.get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", "*"))
    return (
        statement["Effect"] == "Allow"
        and call.action in listed(statement["Action"])
        and any(fnmatchcase(call.resource, pattern) for pattern in listed(statement["Resource"]))
        and (call.keys or not conditions)
        and all(any(fnmatchcase(key, pattern) for pattern in keys) for key in call.keys)
    )


def _calls(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[Call]:
    action = f"{'events' if service == 'eventbridgev2' else service}:{NAMES.get(operation, operation)}"
    match parameters:
        case {"QueueName": name}:
            yield Call(action=action, resource=arn("sqs", name))
        case {"QueueUrl": url}:
            yield Call(action=action, resource=arn("sqs", url.rpartition("/")[2]))
        case {"RequestItems": tables}:
            for table, request in tables.items():
                keys = tuple(key["pk"]["S"] for key in request["Keys"])
                yield Call(action=action, resource=arn("dynamodb", f"table/{table}"), keys=keys)
        case {"TableName": table}:
            key = parameters.get("Key") or parameters["Item"]
            yield Call(action=action, resource=arn("dynamodb", f"table/{table}"), keys=(key["pk"]["S"],))
        case {"Bucket": bucket}:
            yield Call(action=action, resource="/".join([f"arn:aws:s3:::{bucket}", *filter(None, [parameters.get("Key")])]))
        case {"Entries": [{"EventBusName": bus}, *_]} | {"Name": bus}:
            yield Call(action=action, resource=arn("events", f"event-bus/{bus}"))
        case {"FunctionName": function}:
            yield Call(action=action, resource=function)
        case _:
            yield Call(action=action, resource="*")
