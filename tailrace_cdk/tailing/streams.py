"""The streams of an environment as the tailer reads them."""

import json
from collections.abc import Sequence

from bson import json_util

from tailrace_cdk.config import Stream


def toml(streams: Sequence[Stream]) -> str:
    """
    ``TAILER_CONFIG_TOML``: a table for each stream, named after it, that leaves nothing to the tailer's own defaults.

    The same streams in the same order give the same text, so that a deployment restarts tasks only when one of them changed.
    """
    return "\n".join(_table(stream) for stream in streams)


def _table(stream: Stream) -> str:
    settings = stream.model_dump(exclude={"name"}) | {"pipeline": json_util.dumps(stream.pipeline)}
    if not stream.pipeline:
        del settings["pipeline"]
    return "\n".join([f"[{stream.name}]", *(f"{name} = {_value(value)}" for name, value in settings.items()), ""])


def _value(value: str | int | tuple[str, ...]) -> str:
    """JSON's texts, numbers and lists are TOML's too, but for one character that only TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
