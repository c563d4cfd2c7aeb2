"""Events that are valid by default, as they arrive: a test names only the fields that it is about."""

import json
from copy import deepcopy
from typing import Any

from tailrace import DomainEvent, Time
from tailrace.consuming import Event, Events

SOURCE = "app.payments"
ID = "9f0c2d4e-1111-5222-8333-444455556666"


class PaymentCancelled(DomainEvent, source=SOURCE):
    """The direct debit was cancelled."""

    payment_id: str
    cancelled_at: Time


class PaymentCreated(DomainEvent, source=SOURCE):
    """The direct debit was set up."""

    payment_id: str


DATA = {"paymentId": "p-1", "cancelledAt": "2026-11-22T07:23:46.107Z", "reason": "a field that the class does not have"}


def metadata(**changed: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "version": "1",
        "stream": "payments",
        "generation": 1_795_330_000,
        "sequence": 4711,
        "document": "payments.payments/p-1",
        "operation": "update",
        "occurredAt": "2026-11-22T07:23:46.107Z",
    } | changed


def detail(data: object = DATA, **changed: Any) -> dict[str, Any]:
    return {"metadata": metadata(**changed), "data": deepcopy(data)}


def delivered(inner: object = None, name: str = "PaymentCancelled", **changed: Any) -> dict[str, Any]:
    """The event as EventBridge delivers it to a target."""
    return {
        "version": "0",
        "id": "an id that differs in each delivery",
        "detail-type": name,
        "source": SOURCE,
        "account": "123456789012",
        "time": "2026-11-22T07:23:46Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail(**changed) if inner is None else inner,
    }


def record(body: object, number: int = 1, group: str = "") -> dict[str, Any]:
    """A message as Lambda receives it."""
    return {
        "messageId": f"m-{number}",
        "receiptHandle": f"r-{number}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1"} | ({"MessageGroupId": group} if group else {}),
        "eventSource": "aws:sqs",
    }


def event(number: int = 1, *, generation: int = 1, sequence: int = 1, **changed: Any) -> Event[dict[str, Any]]:
    """An event with an id of its own for each ``number``."""
    identifier = f"9f0c2d4e-1111-5222-8333-{number:012x}"
    return Events().read(delivered(id=identifier, generation=generation, sequence=sequence, **changed))
