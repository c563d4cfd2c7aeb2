"""What a command prints: lines for a person, or JSON for a script."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tailrace.text.legible import legible

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an operation returns: ``values`` for JSON, and ``shown`` for a person, names and values by title."""

    values: Any
    shown: Mapping[str, Mapping[str, Any]]

    def text(self) -> str:
        return "\n".join(as_text(title, values) for title, values in self.shown.items())


def as_text(title: str, values: Mapping[str, Any]) -> str:
    """Return a title, with each name and its value below. None is shown as unknown."""
    shown = {legible(name): legible(str(_shown(value))) for name, value in values.items()}
    width = max(map(len, shown))
    return "\n".join([legible(title), *(f"  {name:{width}}  {value}" for name, value in shown.items())])


def as_json(value: Any) -> str:
    """Return a value as JSON, in lines."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + os.linesep


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return "; ".join(value) or "none"
    return "unknown" if value is None else value
