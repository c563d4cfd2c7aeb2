"""``docs/configuration.md``: every setting of a project, the tailer, the forwarder and an environment, from its definition."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from infra.package import REPOSITORY
from lambda_forwarder import settings as forwarder
from tailer.settings import settings as tailer
from tailer.settings.names import PREFIX
from tailer.settings.table import sections
from tailrace.project.settings import ProjectSettings
from tailrace_cdk.config import Environment

PAGE = REPOSITORY / "docs" / "configuration.md"
_TYPES: dict[Any, str] = {
    bool: "`true` or `false`",
    SecretStr: "text, kept secret",
    Path: "a path",
    dict: "a table",
    str: "text",
    Any: "text",
}

_TOP = """# Configuration

Every setting. `make docs` writes this page from the settings themselves: do not edit it.

| part | set by | read in |
|---|---|---|
| [a project](#a-project) | `tailrace.toml` | `tailrace/project/` |
| [the tailer](#the-tailer) | environment variables, a `.env` file, a TOML table for each stream | `tailer/settings/` |
| [the forwarder](#the-forwarder) | environment variables or a `.env` file | `lambda_forwarder/settings.py` |
| [an environment](#an-environment) | a TOML file in `infra/environments/`, or `tailrace.toml` | `tailrace_cdk/config/` |

A deployment sets the variables of the tailer and the forwarder from an environment: see [deploy.md](deploy.md). Every part
reports all missing or wrong settings at once, by name, before it touches anything.

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
            yield f"[[{path}]]" if _is_list(field) else f"[{path}]", inner
            yield from tables(inner, f"{path}.")


def table(model: type[BaseModel], prefix: str = "") -> str:
    """Return the settings of a model as a table of Markdown, without those that are tables of their own."""
    lines = ["| setting | takes | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if not any(sections(field.annotation)):
            shown = f"{prefix}{name.upper()}" if prefix else name
            cells = [f"`{shown}`", _takes(field), _default(field), field.description or ""]
            lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _takes(field: FieldInfo) -> str:
    """Return the possible values in words: choices, bounds, or a type."""
    kinds = list(_kinds(field.annotation))
    if choices := [str(choice) for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]:
        return ", ".join(f"`{choice}`" for choice in choices)
    if _is_list(field):
        return "a list"
    if int in kinds or float in kinds:
        return _bounds(field)
    return next((words for kind, words in _TYPES.items() if kind in kinds), "text")


def _bounds(field: FieldInfo) -> str:
    words = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
    limits = {name: getattr(limit, name) for name in words for limit in field.metadata if hasattr(limit, name)}
    return " ".join(["a number", *(f"{words[name]} {limit:,}" for name, limit in limits.items())])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True, validated_data={})
    value = default.get_secret_value() if isinstance(default, SecretStr) else default
    if value in (None, "", (), {}):
        return "none"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types in an annotation: the parts of unions and lists, one by one."""
    if get_origin(annotation) in (Union, UnionType, tuple):
        for part in get_args(annotation):
            yield from _kinds(part)
    elif get_origin(annotation) is dict:
        yield dict
    elif hasattr(annotation, "__metadata__"):  # Annotated
        yield from _kinds(annotation.__origin__)
    else:
        yield annotation


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is tuple
