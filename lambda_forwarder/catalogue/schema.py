"""The schema of a published event: JSON Schema for validation, OpenAPI for EventBridge's schema registry."""

import inspect
from typing import Any

import msgspec

from tailrace.events import DomainEvent
from tailrace.metadata import Metadata
from tailrace.wire.change import Claim

Schema = dict[str, Any]

ENVELOPE: Schema = {
    "version": {"type": "string"},
    "id": {"type": "string"},
    "account": {"type": "string"},
    "region": {"type": "string"},
    "time": {"type": "string", "format": "date-time"},
    "resources": {"type": "array", "items": {"type": "string"}},
}
"""The fields of an event besides source, detail-type and detail."""


def schema_name(event: type[DomainEvent]) -> str:
    """The name of the schema in EventBridge's registry, and the version of the event."""
    return f"{event.__source__}@{event.__name__}-v{event.__version__}"


def json_schema(event: type[DomainEvent]) -> Schema:
    """The JSON Schema (2020-12) of the event as EventBridge delivers it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event.__name__,
        "description": inspect.getdoc(event),
        "type": "object",
        "properties": {
            **ENVELOPE,
            "source": {"const": event.__source__},
            "detail-type": {"const": event.__name__},
            "detail": {"$ref": "#/$defs/Detail"},
        },
        "required": ["id", "time", "source", "detail-type", "detail"],
        "$defs": _parts(event, "#/$defs/{name}"),
    }


def openapi(event: type[DomainEvent]) -> Schema:
    """The same schema as OpenAPI 3.0, in the form that EventBridge's registry accepts and generates code from."""
    envelope: Schema = {
        "type": "object",
        "properties": {
            **ENVELOPE,
            "source": {"type": "string"},
            "detail-type": {"type": "string"},
            "detail": {"$ref": "#/components/schemas/Detail"},
        },
        "required": [*ENVELOPE, "source", "detail-type", "detail"],
        "x-amazon-events-source": event.__source__,
        "x-amazon-events-detail-type": event.__name__,
    }
    parts = _parts(event, "#/components/schemas/{name}")
    return {
        "openapi": "3.0.0",
        "info": {"title": event.__name__, "version": event.__version__, "description": inspect.getdoc(event)},
        "paths": {},
        "components": {"schemas": {"AWSEvent": envelope, **{name: _in_openapi(part) for name, part in parts.items()}}},
    }


def _parts(event: type[DomainEvent], references: str) -> dict[str, Schema]:
    (metadata, data, claim), parts = msgspec.json.schema_components([Metadata, event, Claim], ref_template=references)
    parts["Metadata"]["properties"]["version"] = {"const": event.__version__}
    parts["Detail"] = {
        "type": "object",
        "description": "The event. An event that is too large for a bus has a claim instead of its data.",
        "properties": {"metadata": metadata, "data": data, "claim": claim},
        "required": ["metadata"],
        "anyOf": [{"required": ["data"]}, {"required": ["claim"]}],
    }
    return parts


def _in_openapi(schema: Any) -> Any:
    """Convert to OpenAPI 3.0, which has neither ``const`` nor the type null."""
    if isinstance(schema, list):
        return [_in_openapi(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "const" in schema:
        return {"type": "string", "enum": [schema["const"]]}
    branches = schema.get("anyOf", [])
    if {"type": "null"} in branches:
        rest = [_in_openapi(branch) for branch in branches if branch != {"type": "null"}]
        kept = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
        plain = len(rest) == 1 and "$ref" not in rest[0]
        return {**kept, **(rest[0] if plain else {"anyOf": rest}), "nullable": True}
    return {key: _in_openapi(value) for key, value in schema.items()}
