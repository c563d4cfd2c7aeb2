"""What a setting is called by whoever set it: the environment variable, or the key of a table."""

import re
from collections.abc import Collection, Mapping

PREFIX = "TAILER_"
_VARIABLE = re.compile(rf"\b{PREFIX}([A-Z0-9_]+)\b")

Keys = Mapping[str, Collection[str]]
"""A table's name to the keys that it has, in the order of the tables."""


def called(name: str, tables: Keys) -> str:
    """The setting by its variable, or by its key and table where tables set it: ``lanes in [payments]``."""
    variable = f"{PREFIX}{name.upper()}"
    places = [f"[{table}]" for table, keys in tables.items() if name in keys]
    known = f"{name} in {' or '.join(places)}" if places else variable
    return f"{known}, or {variable}" if places and len(places) < len(tables) else known


def as_set(text: str, tables: Keys) -> str:
    """The text with every setting called as it was set."""
    return _VARIABLE.sub(lambda found: called(found[1].lower(), tables), text) if any(tables.values()) else text
