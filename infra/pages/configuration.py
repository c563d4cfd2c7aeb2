"""``docs/reference/configuration.md``: every setting of a project, the tailer, the forwarder and an environment."""

import inspect
from collections.abc import Iterator
from typing import Any, get_origin

from pydantic import BaseModel

from infra.package import REPOSITORY
from lambda_forwarder import settings as forwarder
from tailer.settings import settings as tailer
from tailer.settings.names import PREFIX
from tailer.settings.table import sections
from tailrace.project.settings import ProjectSettings
from tailrace_cdk.config import Environment

PAGE = REPOSITORY / "docs" / "reference" / "configuration.md"
_TYPES = {
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "a table",
    "password": "text, kept secret",
    "path": "a path",
}
_LIMITS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}  # of JSON Schema

_TOP = """# Configuration

Every setting. `make docs` writes this page from the settings themselves: do not edit it.

| part | set by | read in |
|---|---|---|
| [a project](#a-project) | `tailrace.toml` | `tailrace/project/` |
| [the tailer](#the-tailer) | environment variables, a `.env` file, a TOML table for each stream | `tailer/settings/` |
| [the forwarder](#the-forwarder) | environment variables or a `.env` file | `lambda_forwarder/settings.py` |
| [an environment](#an-environment) | a TOML file in `infra/environments/`, or `tailrace.toml` | `tailrace_cdk/config/` |

A deployment sets the variables of the tailer and the forwarder from an environment: see [deploy.md](../how-to/deploy.md). Every
part reports all missing or wrong settings at once, by name, before it touches anything.

`AWS_REGION`, `AWS_ENDPOINT_URL` and the credentials are those of the AWS SDK, and every part accepts them.
"""
_PROJECT = """## A project

The file `tailrace.toml` of a project of your own. Its tables `[environment]` and `[environments.NAME]` have the settings of
[an environment](#an-environment), without streams and mappers. `[environments.NAME]` needs only what differs.
"""
_TAILER = """## The tailer

The task's environment variables. Several streams of one task have a TOML table each, named after the stream. A table's
names are these in small letters without `TAILER_`. What a table leaves out comes from the environment.
"""
_FORWARDER = """## The forwarder

The environment variables of the Lambda functions: the same for the queue, for redrive and for DynamoDB streams.
"""
_ENVIRONMENT = """## An environment

One TOML file is one deployment, the stack `tailrace-NAME`. What a file leaves out has its default, so a file needs only the
differences: `infra/environments/trial.toml` and `infra/environments/production.toml` are examples to copy. The default of
`name` is the name of the file.
"""


def page() -> str:
    parts = [
        _TOP,
        _PROJECT,
        table(ProjectSettings),
        _TAILER,
        table(tailer.Settings, PREFIX),
        _FORWARDER,
        table(forwarder.Settings, forwarder.PREFIX),
        _ENVIRONMENT,
        table(Environment),
        *(f"### `{heading}`\n\n{inspect.getdoc(section)}\n\n{table(section)}" for heading, section in tables(Environment)),
    ]
    return "\n".join(parts)


def tables(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Return every table of a model's TOML with its heading, in the order of the settings."""
    for name, field in model.model_fields.items():
        if inner := next(sections(field.annotation), None):
            path = f"{above}{name}"
            yield f"[[{path}]]" if get_origin(field.annotation) is tuple else f"[{path}]", inner
            yield from tables(inner, f"{path}.")


def table(model: type[BaseModel], prefix: str = "") -> str:
    """Return the settings of a model as a table of Markdown, without those that are tables of their own."""
    lines, schema = ["| setting | takes | default | meaning |", "|---|---|---|---|"], model.model_json_schema()
    for name, field in schema["properties"].items():
        if not any(sections(model.model_fields[name].annotation)):
            default = "required" if name in schema.get("required", ()) else _default(field.get("default"))
            cells = [f"`{prefix}{name.upper() if prefix else name}`", _takes(field), default, field.get("description", "")]
            lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _takes(field: dict[str, Any]) -> str:
    """Return the possible values in words, from the JSON Schema of a setting: choices, bounds, or a type."""
    kinds = field.get("anyOf", [field])
    if choices := [f"`{choice}`" for kind in kinds for choice in kind.get("enum", ())]:
        return ", ".join(choices)
    kind = kinds[0]
    if kind.get("type") in ("integer", "number"):
        return " ".join(["a number", *(f"{word} {kind[limit]:,}" for limit, word in _LIMITS.items() if limit in kind)])
    return _TYPES.get(kind.get("format")) or _TYPES.get(kind.get("type"), "text")


def _default(value: Any) -> str:
    if value in (None, "", []):
        return "none"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"
