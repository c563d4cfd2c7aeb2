"""The catalogue's page: every event with its fields, the mappers that produce it, an example and its schemas."""

import inspect
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lambda_forwarder.catalogue.schema import json_schema, schema_name
from tailrace.events import DomainEvent

Catalogue = Mapping[type[DomainEvent], Mapping[str, str]]
"""The events, each with the descriptions of the mappers that produce it, by collection."""

HEAD = """# Events

Every event that other teams can receive. The command `tailrace schemas write` writes this page from the event classes and
their samples: do not edit it.

The fields of the event are in `detail.data`, its origin in `detail.metadata`. The same event may arrive twice: ignore an event
whose `detail.metadata.id` you have already processed. The events of one `detail.metadata.document` are ordered by
`(generation, sequence)`. A field may be added to an event at any time, so ignore unknown fields. Any other change comes with a
new version. An event that is too large for a bus has `detail.claim` (`bucket`, `key`, `bytes`, `sha256`) instead of
`detail.data`: read the data from that S3 object.

Each event has a JSON Schema of the whole event as EventBridge delivers it, and an OpenAPI document for EventBridge's schema
registry (`aws schemas create-schema --type OpenApi3`). This page and the schemas show the source of the event class. If a
forwarder replaces it (`FORWARDER_SOURCE`), use that source in rules; these schemas do not apply then. A consumer in Python can
validate with the `jsonschema` package:

```python
import json
from pathlib import Path

from jsonschema import Draft202012Validator


def validator(schema: Path) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema.read_text()), format_checker=Draft202012Validator.FORMAT_CHECKER)


def handle(event: dict, schema: Path) -> dict:
    validator(schema).validate(event)  # raises jsonschema.ValidationError, which names the field
    return event["detail"]["data"]
```
"""


def page(catalogue: Catalogue, schemas: Path, page_file: Path, samples: Path) -> str:
    """Return the page. Links to the schemas are relative to it."""
    folder = Path(os.path.relpath(schemas, page_file.parent))
    examples = _examples(samples)
    lines = [HEAD, "| event | source | version |", "|---|---|---|"]
    lines += (
        f"| [{event.__name__}](#{event.__name__.lower()}) | `{event.__source__}` | {event.__version__} |" for event in catalogue
    )
    for event, mappers in catalogue.items():
        lines += _section(event, mappers, folder, schemas, examples.get(event.__name__))
    return "\n".join(lines) + "\n"


def _section(event: type[DomainEvent], mappers: Mapping[str, str], folder: Path, schemas: Path, example: Any) -> Iterator[str]:
    name = schema_name(event)
    yield f"\n## {event.__name__}\n\n{_markdown(inspect.getdoc(event) or '')}\n"
    yield from (f"Produced from `{collection}`: {_markdown(words)}\n" for collection, words in mappers.items())
    yield "| field | type |\n|---|---|"
    whole = json_schema(event)
    data = whole["$defs"][event.__name__]
    for field, schema in data["properties"].items():
        optional = "" if field in data.get("required", ()) else ", may be missing"
        yield f"| `{field}` | {_kind(schema)}{optional} |"
    pattern = json.dumps({"source": [event.__source__], "detail-type": [event.__name__]})
    yield f"\nA rule's pattern: `{pattern}`."
    yield f"Schemas: [JSON Schema]({folder / name}.json), [OpenAPI]({folder / name}.openapi.json)."
    stems = {path.stem for path in schemas.glob(f"{event.__source__}@{event.__name__}-v*.json")}
    earlier = sorted(stem for stem in stems - {name} if not stem.endswith(".openapi"))
    if earlier:
        yield "Earlier versions: " + ", ".join(f"[{stem.rpartition('-')[2]}]({folder / stem}.json)" for stem in earlier) + "."
    if example is not None:
        yield f"\n```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```"


def _examples(samples: Path) -> dict[str, Any]:
    """The first sample of each event, in the order of the file names."""
    found: dict[str, Any] = {}
    for path in sorted(samples.glob("*.event.json")):
        sample = json.loads(path.read_text())
        for entry in sample if isinstance(sample, list) else [sample]:
            found.setdefault(entry["DetailType"], entry["Detail"])
    return found


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "enum" in schema:
        return "one of " + ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    names = {"date-time": "time (RFC 3339)", "date": "date (RFC 3339)", "string": "text"}
    kind = str(schema.get("format") or schema.get("type", "anything"))
    return names.get(kind, kind)


def _markdown(text: str) -> str:
    return text.replace("``", "`")
