"""How a setting is named in a message: by the environment variable or by the key of a table, as it was set."""

import re
from collections.abc import Collection, Mapping

PREFIX = "TAILER_"
_VARIABLE = re.compile(rf"\b{PREFIX}([A-Z0-9_]+)\b")

Keys = Mapping[str, Collection[str]]
"""The keys that each table has, by the table's name, in the order of the tables."""


def called(name: str, tables: Keys) -> str:
    """Return the setting's variable, or its key and table if tables set it: ``lanes in [payments]``."""
    variable = f"{PREFIX}{name.upper()}"
    places = [f"[{table}]" for table, keys in tables.items() if name in keys]
    known = f"{name} in {' or '.join(places)}" if places else variable
    return f"{known}, or {variable}" if places and len(places) < len(tables) else known


def as_set(text: str, tables: Keys) -> str:
    """Return the text with every setting named as it was set."""
    return _VARIABLE.sub(lambda found: called(found[1].lower(), tables), text) if any(tables.values()) else text


def as_keys(text: str) -> str:
    """Return the text with every setting named by its key: ``TAILER_LANES`` becomes ``lanes``."""
    return _VARIABLE.sub(lambda found: found[1].lower(), text)
