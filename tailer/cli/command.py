"""A command of ``tailer``, and how it runs an operation: options in, text or JSON out."""

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tailer.errors import Misconfigured
from tailer.output import Result, Say, as_json
from tailer.parts import Parts

_OF_EVERY_COMMAND = {"checks", "command", "interrupted", "json", "stream"}

Run = Callable[[Namespace, Sequence[Parts], Say], int | None]
"""Runs a command for these streams, prints with ``Say``, and returns the exit code."""
Option = tuple[str, Mapping[str, Any]]
"""The name and the other arguments of ``ArgumentParser.add_argument``."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command as it is typed after ``tailer``. ``defaults`` are further values of its options."""

    name: str
    summary: str
    run: Run
    options: Sequence[Option] = ()
    examples: Sequence[str] = ()
    details: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)


def for_each(operation: Callable[[Parts], Result]) -> Run:
    """Run the operation for each stream, and print all results."""

    def run(streams: Sequence[Parts]) -> Result:
        results = {parts.settings.stream: operation(parts) for parts in streams}
        shown = {title: values for result in results.values() for title, values in result.shown.items()}
        return Result(values={stream: result.values for stream, result in results.items()}, shown=shown)

    return for_all(run)


def for_all(operation: Callable[..., Result]) -> Run:
    """Run the operation once for all streams. Its parameters have the names of the command's options."""

    def run(options: Namespace, streams: Sequence[Parts], say: Say) -> None:
        given = {name: value for name, value in vars(options).items() if value is not None and name not in _OF_EVERY_COMMAND}
        result = operation(streams, **given)
        say(as_json(result.values) if options.json else result.text())

    return run


def for_one(operation: Callable[..., Result]) -> Run:
    """Run the operation for one stream, as ``for_all``. If there are several, ``--stream`` names it."""

    def run(streams: Sequence[Parts], **given: Any) -> Result:
        if len(streams) > 1:
            raise Misconfigured(f"name the stream: --stream {' or '.join(parts.settings.stream for parts in streams)}")
        return operation(streams[0], **given)

    return for_all(run)
