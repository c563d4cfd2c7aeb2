"""The streams of a project or an environment as the TOML that a task reads."""

import json
from collections.abc import Sequence

from bson import json_util

from tailer.settings.named_stream import Stream


def toml(streams: Sequence[Stream]) -> str:
    """
    Return ``TAILER_CONFIG_TOML``: a table for each stream with every setting, so that no default of the tailer counts.

    The same streams in the same order give the same text: a deployment restarts tasks only if a stream changed.
    """
    return "\n".join(_table(stream) for stream in streams)


def _table(stream: Stream) -> str:
    settings = stream.model_dump(exclude={"name"}) | {"pipeline": json_util.dumps(stream.pipeline)}
    if not stream.pipeline:
        del settings["pipeline"]
    return "\n".join([f"[{stream.name}]", *(f"{name} = {_value(value)}" for name, value in settings.items()), ""])


def _value(value: str | int | tuple[str, ...]) -> str:
    """Return the value in TOML, which is JSON but for DEL: TOML wants this character escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
