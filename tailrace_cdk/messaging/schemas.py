"""The schemas of the events in an EventBridge schema registry, for consumers to search and to generate code from."""

import json

from aws_cdk import aws_eventschemas as eventschemas
from constructs import Construct

from tailrace.packaging import Catalogue

KIND = "OpenApi3"  # a registry also takes JSON Schema draft 4, but our JSON schemas are of a later draft
CONTENT_LIMIT = 100_000  # characters, EventBridge, the content of one schema


class Schemas(Construct):
    """One entry for each event of the mappers in use. The registry numbers the revisions of an entry itself."""

    def __init__(self, scope: Construct, id: str, *, registry: str, catalogue: Catalogue) -> None:
        super().__init__(scope, id)
        made = eventschemas.CfnRegistry(self, "Registry", registry_name=registry, description="Domain events of Tailrace")
        for name, content in contents(catalogue).items():
            entry = eventschemas.CfnSchema(
                self, name.replace("@", "-"), registry_name=registry, schema_name=name, type=KIND, content=content
            )
            entry.node.add_dependency(made)


def contents(catalogue: Catalogue) -> dict[str, str]:
    """Return the compact OpenAPI schema of every event, by the name of the entry."""
    found: dict[str, str] = {}
    for event in sorted(catalogue.events, key=lambda event: event.schema_name):
        content = json.dumps(event.openapi, separators=(",", ":"), ensure_ascii=False)
        if len(content) > CONTENT_LIMIT:
            raise ValueError(
                f"{event.schema_name}: its schema has {len(content):,} characters; a schema registry takes {CONTENT_LIMIT:,}. "
                "Shorten the event, or set [bus] schemas = false"
            )
        found[event.schema_name] = content
    return found
