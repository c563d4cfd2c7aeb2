"""Checks an event against the JSON schemas that its producer publishes."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from lambda_forwarder.catalogue.catalogue import catalogue
from lambda_forwarder.catalogue.schema import Schema, json_schema, schema_name
from tailrace.consuming import Event, NotAnEvent, messages
from tailrace.events import DomainEvent, Mappers
from tailrace.testing.deliveries import eventbridge

SHOWN = 200  # characters of a value in an error

Schemas = Path | Mappers
"""The folder of the schemas (``schemas/``), or the mappers whose events have them."""


class ContractBroken(AssertionError):
    """An event does not match its schema. The message has each path with the value that was received and what is expected."""


def validate(event: Event[Any] | Mapping[str, Any], schemas: Schemas) -> None:
    """
    Return if each event matches its schema. ``event`` is an event, or a payload with events as a consumer receives it: from
    EventBridge, for a Lambda function behind a queue, or from ReceiveMessage.

    Raises:
        ContractBroken: an event does not match its schema, or has none.
        NotAnEvent: the payload contains no events of EventBridge.
    """
    __tracebackhide__ = True  # pytest shows the test's own line
    for delivered in [eventbridge(event)] if isinstance(event, Event) else _delivered(event):
        name, schema = _schema(delivered, schemas)
        validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        if problems := sorted(_problem(error) for error in _leaves(validator.iter_errors(delivered))):
            raise ContractBroken("\n  ".join([f"the event does not match {name}:", *problems]))


def _delivered(payload: Mapping[str, Any]) -> Iterator[Any]:
    for message in messages(payload):
        try:
            yield json.loads(message.body) if isinstance(message.body, str | bytes) else message.body
        except ValueError as error:
            raise NotAnEvent(f"the body of a message is not JSON: {error}") from error


def _schema(event: Any, schemas: Schemas) -> tuple[str, Schema]:
    """Return the schema of an event, with its name."""
    match event:
        case {"source": str(source), "detail-type": str(kind), "detail": {"metadata": {"version": str(version)}}}:
            name = f"{source}@{kind}-v{version}"
        case _:
            raise NotAnEvent("the event has no source, detail-type or detail.metadata.version")
    known = dict(_known(schemas))
    if name not in known:
        raise ContractBroken(f"{name} has no schema; the schemas here are: {', '.join(sorted(known)) or 'none'}")
    found = known[name]
    return name, json.loads(found.read_text("utf-8")) if isinstance(found, Path) else json_schema(found)


def _known(schemas: Schemas) -> Iterator[tuple[str, Path | type[DomainEvent]]]:
    """Yield each schema by its name: its file, or the class that it is made from."""
    if isinstance(schemas, Path):
        for path in schemas.glob("*-v*.json"):
            if not path.name.endswith(".openapi.json"):
                yield path.name.removesuffix(".json"), path
    else:
        for event in catalogue(schemas):
            yield schema_name(event), event


def _leaves(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Yield the errors at the innermost values: that of an ``anyOf`` itself, or those inside its branches."""
    for error in errors:
        inside = [inner for inner in error.context or () if inner.relative_path]
        if inside:
            yield from _leaves(inside)
        else:
            yield error


def _problem(error: ValidationError) -> str:
    path = error.json_path.removeprefix("$.")
    if error.validator == "required":
        return f"{path}: {error.message}"
    return f"{path}: received {_shown(error.instance)}, expected {error.validator} {_shown(error.validator_value)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
