"""Only the handlers and the adapters that call AWS know the keys of a record, an event or a response of AWS."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lambda_forwarder
from tests.lambda_forwarder.handlers import test_dynamodb as dynamodb
from tests.lambda_forwarder.values import record

PACKAGE = Path(lambda_forwarder.__file__).parent
USER = {"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}}
EVENTS: list[Any] = [
    {"Records": [record("text")], "batchItemFailures": [{"itemIdentifier": "m1"}]},
    {"Records": [dynamodb.record(new={"orderId": {"S": "o-1"}}, old={"orderId": {"S": "o-1"}}) | USER]},
    {"Messages": [{"MessageId": "m1", "ReceiptHandle": "r1", "Body": "text", "Attributes": record("text")["attributes"]}]},
    {"attributes": {"DeadLetterQueueSourceArn": "arn:aws:sqs:eu-west-1:123456789012:changes.fifo"}},
]
"""A recorded event of each service, with Lambda's response, and a response of ReceiveMessage."""

OURS = {"S", "type", "orderId"}  # DynamoDB's name of a type, which adapters write; names of the examples


def keys(value: Any) -> Iterator[str]:
    """Yield every key in a JSON value."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(inner)


KEYS = {key for event in EVENTS for key in keys(event)} - OURS


def used_keys(source: str) -> set[str]:
    """Return the texts with which a module reads or writes an entry of a dictionary, or names the field of a foreign value."""
    used: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Subscript(slice=key) | ast.Compare(left=key) | ast.keyword(arg="name", value=key):
                used.append(key)
            case ast.Dict(keys=names) | ast.MatchMapping(keys=names):
                used += names
            case ast.Call(func=ast.Attribute(attr="get" | "pop" | "setdefault"), args=[key, *_]):
                used.append(key)
    return {key.value for key in used if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def calls_aws(source: str) -> bool:
    """Whether a module calls AWS: each one that does translates the errors of boto3, by itself or as a ``Resource``."""
    return "with translated(" in source or "from lambda_forwarder.aws.resources import" in source


def test_only_handlers_and_adapters_use_the_keys_of_a_record() -> None:
    """Other modules get a ``Delivery``."""
    modules = {path.relative_to(PACKAGE): path.read_text() for path in PACKAGE.rglob("*.py")}
    inside = {name: source for name, source in modules.items() if name.parts[0] != "handlers" and not calls_aws(source)}
    assert {str(name): found for name, source in inside.items() if (found := used_keys(source) & KEYS)} == {}


def test_check_finds_each_way_to_use_a_key() -> None:
    """A record that is read, faked, matched or declared."""
    found = (
        'record["messageId"]',
        'record["attributes"].get("ApproximateReceiveCount", 1)',
        'unreadable({"body": text, "messageId": name, "attributes": {}}, error)',
        'match record:\n    case {"dynamodb": image}:\n        pass',
        'name: str = msgspec.field(name="eventName")',
        '"DeadLetterQueueSourceArn" in attributes',
    )
    assert all(used_keys(source) & KEYS for source in found)
    assert not used_keys('client("dynamodb")') & KEYS
