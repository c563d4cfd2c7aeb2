"""What AWS may do to one call: refuse it, accept a part of it, or accept it and respond with an error or not at all."""

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

SEND = "AmazonSQS.SendMessageBatch"
STORE = "DynamoDB_20120810.PutItem"
HANG = 11.0  # seconds, longer than the tailer's timeout


@dataclass(frozen=True, kw_only=True)
class Response:
    """A status and a JSON body."""

    status: int
    body: bytes


Forward = Callable[[bytes], Response]
CallFault = Callable[[bytes, Forward, random.Random], Response | None]
"""From the request's body to its answer; no answer closes the connection without a word."""


def throttled(body: bytes, forward: Forward, chance: random.Random) -> Response:
    """Accept nothing."""
    return error(400, "com.amazonaws.sqs#RequestThrottled", "Rate exceeded")


def partial(body: bytes, forward: Forward, chance: random.Random) -> Response:
    """Accept some entries. The others fail one by one with HTTP 200, as SQS does."""
    request = json.loads(body)
    entries = request["Entries"]
    taken = sorted(chance.sample(range(len(entries)), chance.randrange(len(entries))))
    left = [entry["Id"] for number, entry in enumerate(entries) if number not in taken]
    if not taken:
        return _answered([], left)
    response = forward(json.dumps(request | {"Entries": [entries[number] for number in taken]}).encode())
    if response.status != 200:
        return response
    parsed = json.loads(response.body)
    return _answered(parsed["Successful"], left, parsed.get("Failed", []))


def denied(body: bytes, forward: Forward, chance: random.Random) -> Response:
    """Accept all entries, and report some of them as failed."""
    response = forward(body)
    if response.status != 200:
        return response
    parsed = json.loads(response.body)
    told = [entry for entry in parsed["Successful"] if chance.random() < 0.5]
    ids = {entry["Id"] for entry in told}
    left = [entry["Id"] for entry in parsed["Successful"] if entry["Id"] not in ids]
    return _answered(told, left, parsed.get("Failed", []))


def unanswered(body: bytes, forward: Forward, chance: random.Random) -> None:
    """Accept the call, and close the connection before the response."""
    forward(body)


def failed_after(body: bytes, forward: Forward, chance: random.Random) -> Response:
    """Accept the call, and respond with an internal error."""
    forward(body)
    return error(500, "com.amazonaws.sqs#InternalFailure", "internal error")


def hung(body: bytes, forward: Forward, chance: random.Random) -> None:
    """Accept the call, and do not respond until the client has given up."""
    forward(body)
    time.sleep(HANG)


def store_throttled(body: bytes, forward: Forward, chance: random.Random) -> Response:
    """Do not write the record."""
    kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
    return error(400, kind, "The level of configured provisioned throughput was exceeded")


def store_unanswered(body: bytes, forward: Forward, chance: random.Random) -> None:
    """Write the record, and close the connection before the response."""
    forward(body)


CALL_FAULTS: dict[str, tuple[str, CallFault]] = {
    "throttle": (SEND, throttled),
    "partial": (SEND, partial),
    "denied": (SEND, denied),
    "unanswered": (SEND, unanswered),
    "failed_after": (SEND, failed_after),
    "hung": (SEND, hung),
    "store_throttle": (STORE, store_throttled),
    "store_unanswered": (STORE, store_unanswered),
}
"""By name: the operation it is about, and what happens to a call of it."""


def error(status: int, kind: str, text: str) -> Response:
    return Response(status=status, body=json.dumps({"__type": kind, "message": text}).encode())


def _answered(successful: Sequence[Any], left: Sequence[str], failed: Sequence[Any] = ()) -> Response:
    refused = [{"Id": entry, "SenderFault": False, "Code": "ServiceUnavailable", "Message": "try again"} for entry in left]
    return Response(status=200, body=json.dumps({"Successful": successful, "Failed": [*failed, *refused]}).encode())
