"""The help of the command line: wrapped to the terminal, settings in groups, and examples that can be pasted."""

import shutil
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from tailer.settings.names import PREFIX
from tailer.settings.settings import Settings

MAX_COLUMNS = 110  # longer lines are hard to read
GROUPS: Mapping[str, tuple[str, ...]] = {
    "required": ("mongodb_uri", "queue_url", "checkpoints", "stream", "database"),
    "what is watched": ("collections", "pipeline", "full_document", "full_document_before_change", "start"),
    "order and size": ("lanes", "order_by", "claim_bucket", "on_poison"),
    "signing in": ("mongodb_username", "mongodb_password"),
    "history and lease": ("history_seconds", "lease_seconds", "scan_seconds"),
    "the task": ("http_host", "http_port", "emf_namespace", "log_level", "log_format"),
    "several streams": ("config", "config_toml"),
}
"""Every setting of ``Settings``, by what it is about. One that is in no group is shown last."""


def paragraphs(*texts: str) -> str:
    """Return the texts wrapped, with an empty line between two."""
    return "\n\n".join(textwrap.fill(" ".join(text.split()), _columns()) for text in texts)


def examples(commands: Iterable[str]) -> str:
    """Return commands as they are typed, never wrapped."""
    return "\n".join(["examples:", *(f"  {command}" for command in commands)])


def settings_by_group() -> str:
    """Return every setting with its description and its default."""
    grouped = {name for names in GROUPS.values() for name in names}
    groups = {**GROUPS, "others": tuple(name for name in Settings.model_fields if name not in grouped)}
    return "\n\n".join(_group(title, names) for title, names in groups.items() if names)


def _group(title: str, names: Iterable[str]) -> str:
    return "\n".join([f"settings, {title}:", *(_setting(name, Settings.model_fields[name]) for name in names)])


def _setting(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else f"default {_shown(field.get_default()) or 'empty'}"
    text = textwrap.fill(f"{field.description} ({default})", _columns(), initial_indent=" " * 6, subsequent_indent=" " * 6)
    return f"  {PREFIX}{name.upper()}\n{text}"


def _shown(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _columns() -> int:
    return min(shutil.get_terminal_size().columns, MAX_COLUMNS)
