"""The TOML that names several streams, one table each: a file, or its text where a task has an environment but no files."""

import tomllib
from collections.abc import Set
from pathlib import Path
from typing import Any

from tailer.errors import Misconfigured

Tables = dict[str, dict[str, Any]]
"""Stream name → the settings of its own."""


def stream_tables(file: str, text: str, allowed: Set[str]) -> Tables:
    """
    What each table says, by its name. With neither a file nor a text: one stream without a name, whose table says nothing.

    Raises:
        Misconfigured: it cannot be read, both are given, or a table says what is not ``allowed``.
    """
    if file and text:
        raise Misconfigured("TAILER_CONFIG and TAILER_CONFIG_TOML say the same in two ways: leave one of them out")
    if not file and not text:
        return {"": {}}
    where = f"TAILER_CONFIG: {file}" if file else "TAILER_CONFIG_TOML"
    try:
        tables = tomllib.loads(Path(file).read_text() if file else text)
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise Misconfigured(f"{where} cannot be read: {error}") from error
    if not tables:
        raise Misconfigured(f"{where} names no stream: write a table for each, e.g. [payments]")
    for name, table in tables.items():
        if unknown := sorted(set(table) - allowed) if isinstance(table, dict) else [name]:
            raise Misconfigured(
                f"{where}: {', '.join(unknown)} in [{name}] is not a setting of a stream; "
                f"there are {', '.join(sorted(allowed))}"
            )
    return {name: {"stream": name, **table} for name, table in tables.items()}
