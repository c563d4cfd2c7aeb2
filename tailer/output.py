"""What a command answers: in lines for a person, or in JSON for a script."""

import os
from collections.abc import Callable
from typing import Any

import msgspec

from tailrace.text.legible import legible

Say = Callable[[str], None]


def as_text(title: str, values: dict[str, Any]) -> str:
    """A title, and each name with its value below. What nobody knows is null to a script and unknown to a person."""
    shown = {legible(name): legible(str(_shown(value))) for name, value in values.items()}
    width = max(map(len, shown))
    return "\n".join([legible(title), *(f"  {name:{width}}  {value}" for name, value in shown.items())])


def as_json(value: Any) -> str:
    """The same for a script."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + os.linesep


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return "; ".join(value) or "none"
    return "unknown" if value is None else value
