"""A consumer's test fails if what it receives, or what it assumes, does not match the producer's schemas."""

import json
from pathlib import Path
from typing import Any

import pytest

from examples.payments.events import MAPPERS
from lambda_forwarder.catalogue.catalogue import write
from tailrace.consuming import NotAnEvent
from tailrace.testing import ContractBroken, eventbridge, events_of, mongodb, sqs, validate

EXAMPLE = Path(__file__).parents[3] / "examples" / "payments"
PAYMENT = {"_id": "p-1", "subscriptionId": "s-1", "status": "created"}


def cancelled() -> dict[str, Any]:
    [event] = events_of(MAPPERS, mongodb("payments.payments").update(PAYMENT, {"status": "cancelled"}))
    return eventbridge(event)


@pytest.mark.parametrize("schemas", [EXAMPLE / "schemas", MAPPERS], ids=["folder", "mappers"])
def test_published_event_matches_its_schema(schemas: Any) -> None:
    """In every form in which it is received."""
    events = events_of(MAPPERS, mongodb("payments.payments").update(PAYMENT, {"status": "cancelled"}))
    received: list[Any] = [*events, *map(eventbridge, events), sqs(*events, *events)]
    for one in received:
        validate(one, schemas)


def test_difference_names_the_path_and_both_values() -> None:
    event = cancelled()
    event["detail"]["data"] |= {"subscriptionId": 5}
    del event["detail"]["metadata"]["document"]
    with pytest.raises(ContractBroken) as broken:
        validate(event, EXAMPLE / "schemas")
    assert str(broken.value).splitlines() == [
        "the event does not match app.payments@PaymentCancelled-v1:",
        '  detail.data.subscriptionId: received 5, expected anyOf [{"type": "string"}, {"type": "null"}]',
        "  detail.metadata: 'document' is a required property",
    ]


def test_message_of_a_batch_is_validated_too() -> None:
    event = cancelled()
    event["detail"]["data"]["paymentId"] = None
    payload = {
        "Records": [{"messageId": "m-1", "body": json.dumps(cancelled())}, {"messageId": "m-2", "body": json.dumps(event)}]
    }
    with pytest.raises(ContractBroken, match=r"detail\.data\.paymentId: received null"):
        validate(payload, MAPPERS)


@pytest.mark.parametrize("field", ["source", "detail-type"])
def test_event_without_a_schema_is_refused(field: str) -> None:
    """The error lists the schemas that exist."""
    with pytest.raises(ContractBroken, match=r"has no schema; the schemas here are: .*app\.payments@PaymentCancelled-v1"):
        validate(cancelled() | {field: "another"}, EXAMPLE / "schemas")


def test_empty_folder_has_no_schemas(tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="the schemas here are: none"):
        validate(cancelled(), tmp_path)


def test_folder_is_the_one_that_the_catalogue_writes(tmp_path: Path) -> None:
    write(MAPPERS, tmp_path / "schemas", tmp_path / "events.md", EXAMPLE / "samples")
    validate(cancelled(), tmp_path / "schemas")


@pytest.mark.parametrize("payload", [{}, {"detail": 5}, {"Records": [{"messageId": "m", "body": "hello"}]}])
def test_payload_without_events_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(NotAnEvent):
        validate(payload, MAPPERS)
