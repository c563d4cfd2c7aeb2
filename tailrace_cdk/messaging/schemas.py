"""The schemas of the events in an EventBridge schema registry, for consumers to search and to generate code from."""

import json
from pathlib import Path

from aws_cdk import aws_eventschemas as eventschemas
from constructs import Construct

from tailrace_cdk.clone import in_clone

SUFFIX = ".openapi.json"
KIND = "OpenApi3"  # a registry also takes JSON Schema draft 4, but schemas/*.json are of a later draft
CONTENT_LIMIT = 100_000  # characters, EventBridge, the content of one schema


class Schemas(Construct):
    """One entry for each version of an event, named after its file. The registry numbers the revisions of an entry itself."""

    def __init__(self, scope: Construct, id: str, *, registry: str) -> None:
        super().__init__(scope, id)
        made = eventschemas.CfnRegistry(self, "Registry", registry_name=registry, description="Domain events of Tailrace")
        for name, content in contents(in_clone("schemas", "set [bus] schemas = false")).items():
            entry = eventschemas.CfnSchema(
                self, name.replace("@", "-"), registry_name=registry, schema_name=name, type=KIND, content=content
            )
            entry.node.add_dependency(made)


def contents(folder: Path) -> dict[str, str]:
    """Return the compact content of every OpenAPI schema of a folder, by name."""
    found: dict[str, str] = {}
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        schema = json.loads(file.read_text())
        if not str(schema.get("openapi", "")).startswith("3.0."):
            raise ValueError(f"{file.name} is not OpenAPI 3.0: run make docs")
        content = json.dumps(schema, separators=(",", ":"), ensure_ascii=False)
        if len(content) > CONTENT_LIMIT:
            raise ValueError(f"{file.name}: {len(content):,} characters; a schema registry takes {CONTENT_LIMIT:,}")
        found[file.name.removesuffix(SUFFIX)] = content
    return found
