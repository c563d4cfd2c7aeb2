"""The catalogue is complete and current, and never breaks the consumers of a published event."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from examples.payments.events import MAPPERS
from lambda_forwarder.__main__ import main
from lambda_forwarder.catalogue import catalogue
from tailrace.change import Change
from tailrace.events import DomainEvent, EventType, Mappers

EXAMPLE = Path(__file__).parents[3] / "examples" / "payments"
SCHEMAS, PAGE, SAMPLES = EXAMPLE / "schemas", EXAMPLE / "events.md", EXAMPLE / "samples"


def event_class(version: str = "1", **fields: Any) -> type[DomainEvent]:
    namespace = {"__doc__": "It happened.", "__module__": __name__, "__annotations__": fields}
    made: type[DomainEvent] = EventType("Happened", (DomainEvent,), namespace, source="app.tests", version=version)
    return made


def mappers_of(event: type[DomainEvent]) -> Mappers:
    def happened(change: Change) -> DomainEvent | None:
        """Now and then."""
        return None

    happened.__annotations__["return"] = event
    return {"things": (happened,)}


def write_catalogue(folder: Path, event: type[DomainEvent]) -> list[str]:
    return catalogue.write(mappers_of(event), folder / "schemas", folder / "events.md", folder)


def test_no_published_event_is_broken() -> None:
    """If this fails, an event that other teams consume has changed: give the event a new version, or undo the change."""
    assert list(catalogue.breaking_changes(MAPPERS, SCHEMAS)) == []


def test_catalogue_is_current() -> None:
    """If this fails, an event or a sample has changed: run `make docs` and review the diff."""
    made = catalogue.files(MAPPERS, SCHEMAS, PAGE, SAMPLES)
    stale = [path.name for path, text in made.items() if not path.exists() or path.read_text() != text]
    assert stale == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [({}, "was removed"), ({"amount": str}, "may now be string; it was integer"), ({"amount": int | None}, "null")],
)
def test_breaking_change_is_refused_without_a_new_version(tmp_path: Path, fields: dict[str, Any], problem: str) -> None:
    """Nothing is written. With the next version both schemas exist and the page links to both."""
    assert write_catalogue(tmp_path, event_class(amount=int)) == []
    before = {path: path.read_text() for path in tmp_path.rglob("*.*")}
    [told] = write_catalogue(tmp_path, event_class(**fields))
    assert told.startswith("Happened version 1: the field ")
    assert problem in told
    assert {path: path.read_text() for path in tmp_path.rglob("*.*")} == before
    assert write_catalogue(tmp_path, event_class("2", **fields)) == []
    assert "Earlier versions: [v1](schemas/app.tests@Happened-v1.json)." in (tmp_path / "events.md").read_text()


def test_new_field_needs_no_new_version(tmp_path: Path) -> None:
    assert write_catalogue(tmp_path, event_class(amount=int)) == []
    assert write_catalogue(tmp_path, event_class(amount=int, currency=str)) == []
    assert "currency" in (tmp_path / "schemas" / "app.tests@Happened-v1.json").read_text()


def test_published_event_without_a_mapper_is_reported(tmp_path: Path) -> None:
    """Somebody may still consume it. Its schemas are removed by hand."""
    write_catalogue(tmp_path, event_class(amount=int))
    [told] = catalogue.breaking_changes({}, tmp_path / "schemas")
    assert "no mapper produces this event any more" in told
    assert "if no consumer reads the event any more, delete its schemas" in told


def test_team_can_write_its_own_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its own table and folders. A break exits with code 1 and a reason."""
    monkeypatch.chdir(tmp_path)
    own = ["--mappers", f"{__name__}:OWN", "catalogue", "--schemas", "s", "--events", "e.md", "--samples", "none"]
    assert main(own) == 0
    assert {path.name for path in tmp_path.rglob("*.json")} > {
        "app.tests@Happened-v1.json",
        "app.tests@Happened-v1.openapi.json",
    }
    monkeypatch.setattr(f"{__name__}.OWN", mappers_of(event_class()))
    assert main(own) == 1
    assert "the field detail.data.amount was removed" in capsys.readouterr().err


OWN = mappers_of(event_class(amount=int))


def delivered(sample: dict[str, Any]) -> dict[str, Any]:
    """Return a sample as EventBridge delivers it."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "account": "123456789012",
        "region": "eu-west-1",
        "time": sample["Time"],
        "resources": [],
        "source": sample["Source"],
        "detail-type": sample["DetailType"],
        "detail": sample["Detail"],
    }


def consumer() -> dict[str, Any]:
    """Run the consumer's code from the page of the catalogue."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.event.json")), ids=lambda path: path.name)
def test_documented_consumer_accepts_every_sample(path: Path) -> None:
    """And new fields of a later version."""
    event = delivered(json.loads(path.read_text()))
    schema = SCHEMAS / f"{event['source']}@{event['detail-type']}-v{event['detail']['metadata']['version']}.json"
    event["detail"]["data"]["added"] = event["detail"]["metadata"]["late"] = True
    assert consumer()["handle"](event, schema) == event["detail"]["data"]


def test_documented_consumer_refuses_an_invalid_event() -> None:
    """The error names the field."""
    sample = json.loads((SAMPLES / "payment_cancelled.event.json").read_text())
    schema = SCHEMAS / "app.payments@PaymentCancelled-v1.json"
    handle, event = consumer()["handle"], delivered(sample)
    for path, wrong in (("paymentId", None), ("cancelledAt", 5)):
        data = event["detail"]["data"] | {path: wrong}
        with pytest.raises(ValidationError):
            handle(event | {"detail": event["detail"] | {"data": data}}, schema)
    with pytest.raises(ValidationError):
        handle(event | {"detail": {"metadata": event["detail"]["metadata"]}}, schema)
    with pytest.raises(ValidationError):
        handle(event | {"detail-type": "PaymentCreated"}, schema)


def test_event_with_a_claim_instead_of_data_is_valid() -> None:
    event = delivered(json.loads((SAMPLES / "payment_cancelled.event.json").read_text()))
    claim = {"bucket": "claims", "key": "events/1.json", "bytes": 1, "sha256": "00"}
    detail = {"metadata": event["detail"]["metadata"], "claim": claim}
    schema = json.loads((SCHEMAS / "app.payments@PaymentCancelled-v1.json").read_text())
    Draft202012Validator(schema).validate(event | {"detail": detail})


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_every_schema_is_valid(path: Path) -> None:
    """OpenAPI documents only use what OpenAPI 3.0 knows."""
    schema = json.loads(path.read_text())
    if not path.name.endswith(".openapi.json"):
        Draft202012Validator.check_schema(schema)
        return
    assert schema["openapi"] == "3.0.0"
    text = path.read_text()
    assert not re.search(r'"(const|\$defs|prefixItems)"|"null"', text)
    parts = schema["components"]["schemas"]
    assert {reference.rpartition("/")[2] for reference in re.findall(r'"\$ref": "([^"]+)"', text)} <= parts.keys()
    assert schema["components"]["schemas"]["AWSEvent"]["x-amazon-events-detail-type"] == schema["info"]["title"]
