"""``--watch``: streams that a person names instead of those of the project."""

import re
from collections.abc import Iterable

from pydantic import ValidationError

from tailer.settings.named_stream import Stream
from tailer.settings.table_problems import problems
from tailrace.errors import Misconfigured


def streams_of(names: Iterable[str]) -> tuple[Stream, ...]:
    """Return a stream for each ``database`` or ``database.collection``."""
    return tuple(_stream(name) for name in dict.fromkeys(names))


def _stream(name: str) -> Stream:
    database, _, collection = name.partition(".")
    values = {
        "name": re.sub(r"[^A-Za-z0-9_-]", "-", name)[:80],
        "database": database,
        "collections": [collection] if collection else [],
    }
    try:
        return Stream.model_validate(values)
    except ValidationError as error:
        raise Misconfigured(f"--watch {name}: {'; '.join(problems(error, Stream))}") from None
