"""What a command answers: in lines for a person, or in JSON for a script."""

import os
from collections.abc import Callable
from typing import Any

import msgspec

Say = Callable[[str], None]


def as_text(title: str, values: dict[str, Any]) -> str:
    """A title, and each name with its value below."""
    width = max(map(len, values))
    shown = {name: "; ".join(value) or "none" if isinstance(value, list) else value for name, value in values.items()}
    return "\n".join([title, *(f"  {name:{width}}  {value}" for name, value in shown.items())])


def as_json(value: Any) -> str:
    """The same for a script."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + os.linesep
