"""The events' schemas in an EventBridge schema registry, from which consumers search and generate code."""

import json
from pathlib import Path

from aws_cdk import aws_eventschemas as eventschemas
from constructs import Construct

from tailrace_cdk.clone import in_clone

SUFFIX = ".openapi.json"
KIND = "OpenApi3"  # the other kind that a registry takes is JSON Schema draft 4; schemas/*.json are of a later draft
CONTENT_LIMIT = 100_000  # characters, EventBridge, the content of one schema


class Schemas(Construct):
    """One entry for each version of an event, under the name of its file. The registry counts its own revisions of each."""

    def __init__(self, scope: Construct, id: str, *, registry: str) -> None:
        super().__init__(scope, id)
        made = eventschemas.CfnRegistry(self, "Registry", registry_name=registry, description="Domain events of Tailrace")
        for name, content in contents(in_clone("schemas", "set [bus] schemas = false")).items():
            entry = eventschemas.CfnSchema(
                self, name.replace("@", "-"), registry_name=registry, schema_name=name, type=KIND, content=content
            )
            entry.node.add_dependency(made)


def contents(folder: Path) -> dict[str, str]:
    """
    Name → content, compact, of every OpenAPI schema of a folder: they are what a registry takes, as they are.

    Raises:
        ValueError: one of them is no OpenAPI 3.0, or larger than a registry takes; the message names the file.
    """
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
