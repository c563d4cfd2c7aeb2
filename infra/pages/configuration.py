"""``docs/configuration.md``: every setting of the tailer, the forwarder and an environment, as it describes itself."""

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
from tailrace_cdk.config import Environment

PAGE = REPOSITORY / "docs" / "configuration.md"
_PARTS: dict[Any, str] = {bool: "`true` or `false`", SecretStr: "text, kept secret", Path: "a path", str: "text", Any: "text"}

_TOP = """# Configuration

Every setting. `make docs` writes this page from the settings themselves: do not edit it.

| part | set by | read in |
|---|---|---|
| [the tailer](#the-tailer) | environment variables, a `.env` file, a TOML table for each stream | `tailer/settings/` |
| [the forwarder](#the-forwarder) | environment variables or a `.env` file | `lambda_forwarder/settings.py` |
| [an environment](#an-environment) | a TOML file in `infra/environments/` | `tailrace_cdk/config/` |

A deployment by `make deploy` sets the variables of the first two parts from the third: see [deploy.md](deploy.md). Every part
reports all missing or wrong settings at once, by name, before it touches anything.

`AWS_REGION`, `AWS_ENDPOINT_URL` and the credentials are those of the AWS SDK, and every part accepts them.
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
    """The whole page as it ought to be."""
    parts = [
        _TOP,
        _TAILER,
        table(tailer.Settings, PREFIX),
        _FORWARDER,
        table(forwarder.Settings, forwarder.PREFIX),
        _ENVIRONMENT,
        table(Environment),
        *(f"### `{heading}`\n\n{inspect.getdoc(section)}\n\n{table(section)}" for heading, section in sections(Environment)),
    ]
    return "\n".join(parts)


def sections(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table that a model's TOML may have, with its heading there, in the order of the settings."""
    for name, field in model.model_fields.items():
        if inner := _section(field):
            path = f"{above}{name}"
            yield f"[[{path}]]" if _is_list(field.annotation) else f"[{path}]", inner
            yield from sections(inner, f"{path}.")


def table(model: type[BaseModel], prefix: str = "") -> str:
    """The settings of one model, without those that are tables of their own."""
    lines = ["| setting | takes | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if not (prefix == "" and _section(field)):
            shown = f"{prefix}{name.upper()}" if prefix else name
            lines.append(
                f"| `{shown}` | {_cell(_takes(field))} | {_cell(_default(field))} | {_cell(field.description or '')} |"
            )
    return "\n".join([*lines, ""])


def _takes(field: FieldInfo) -> str:
    """What a setting takes, in words: choices, bounds, else its kind."""
    kinds = list(_kinds(field.annotation))
    if choices := [str(choice) for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]:
        return ", ".join(f"`{choice}`" for choice in choices)
    if _is_list(field.annotation):
        return "a list"
    if int in kinds or float in kinds:
        return _bounds(field)
    return next((words for kind, words in _PARTS.items() if kind in kinds), "text")


def _bounds(field: FieldInfo) -> str:
    limits = {
        name: getattr(limit, name) for limit in field.metadata for name in ("ge", "gt", "le", "lt") if hasattr(limit, name)
    }
    words = {"ge": "from {}", "gt": "above {}", "le": "to {}", "lt": "below {}"}
    return " ".join(["a number", *(words[name].format(f"{limits[name]:,}") for name in words if name in limits)])


def _default(field: FieldInfo) -> str:
    return "required" if field.is_required() else _shown(field.get_default())


def _shown(value: Any) -> str:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if text is None or text in ("", ()):
        return "none"
    return f"`{str(text).lower()}`" if isinstance(text, bool) else f"`{text}`"


def _kinds(annotation: Any) -> Iterator[Any]:
    """The kinds of value that an annotation stands for, the parts of unions and lists one by one."""
    if get_origin(annotation) in (Union, UnionType, tuple):
        for part in get_args(annotation):
            yield from _kinds(part)
    elif hasattr(annotation, "__metadata__"):  # Annotated
        yield from _kinds(annotation.__origin__)
    else:
        yield annotation


def _section(field: FieldInfo) -> type[BaseModel] | None:
    return next((kind for kind in _kinds(field.annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is tuple


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
