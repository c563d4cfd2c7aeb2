"""The TOML with a table for each stream: a file, or its text for a task that has an environment but no files."""

import tomllib
from collections.abc import Set
from pathlib import Path
from typing import Any

from tailer.errors import Misconfigured
from tailer.settings.toml_mistakes import unknown, unreadable

Tables = dict[str, dict[str, Any]]
"""The settings in each table, by the name of the stream."""


def stream_tables(file: str, text: str, allowed: Set[str]) -> Tables:
    """Return the settings of each table. With neither a file nor a text: one stream without a name, and no settings."""
    if file and text:
        raise Misconfigured("TAILER_CONFIG and TAILER_CONFIG_TOML are both set: set only one of them")
    if not file and not text:
        return {"": {}}
    where, tables = _read(file, text)
    if not tables:
        raise Misconfigured(f"{where} names no stream: {_FORM}")
    for name, table in tables.items():
        if not name:
            raise Misconfigured(f"{where}: a table has no name: {_FORM}")
        if not isinstance(table, dict):
            raise Misconfigured(f"{where}: {name if name in allowed else 'a key'} is outside of every table: {_FORM}")
        if any(isinstance(value, dict) and one not in allowed for one, value in table.items()):
            raise Misconfigured(f"{where}: [{name}] has a table in it; no stream has a dot in its name: {_FORM}")
        if others := sorted(set(table) - allowed):
            raise Misconfigured(f"{where}: {unknown(others, sorted(allowed), f'in [{name}]')}")
    return {name: {"stream": name, **table} for name, table in tables.items()}


_FORM = "write a table for each stream, named after it and in one pair of brackets, e.g. [payments]"


def _read(file: str, text: str) -> tuple[str, dict[str, Any]]:
    """Return the name of the source for errors, and its tables."""
    if "\n" in file or file.lstrip().startswith("["):
        raise Misconfigured("TAILER_CONFIG is the path of a TOML file; the text itself goes into TAILER_CONFIG_TOML")
    where = f"TAILER_CONFIG: {file}" if file else "TAILER_CONFIG_TOML"
    try:
        return where, tomllib.loads(Path(file).read_text() if file else text)
    except (OSError, ValueError, RecursionError) as error:
        form = "" if file else f"; it is the text of a TOML file (a path goes into TAILER_CONFIG): {_FORM}"
        raise Misconfigured(f"{where} cannot be read: {unreadable(error)}{form}") from None
