"""Snapshots of events: the text of what a test published, in a file beside the test that a reviewer reads."""

import difflib
import hashlib
import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from tailrace.consuming import Event
from tailrace.testing.deliveries import eventbridge

UPDATE = "TAILRACE_UPDATE_SNAPSHOTS"
VOLATILE = ("id", "generation", "sequence", "occurredAt", "traceparent")  # in the metadata: they differ from run to run
NAME_LIMIT = 150  # characters; file systems allow 255 bytes

_unsafe = re.compile(r"[^\w.,=\[\] -]|[ .]+\Z", re.ASCII)


class SnapshotDiffers(AssertionError):
    """The events of a test are not those of its snapshot. The message has the difference and the command that accepts it."""


class EventSnapshot:
    """The snapshot of one test, in this file. With ``update`` the file is written, else compared."""

    def __init__(self, path: Path, *, update: bool) -> None:
        self._path = path
        self._update = update
        self._checked = False

    def check(self, events: Sequence[Event[Any]], volatile: Collection[str] = ()) -> None:
        """
        Compare the events with the snapshot. What differs from run to run is replaced by its name: of the metadata ids,
        positions and times, and the fields of the data, at any depth, that ``volatile`` names.

        Raises:
            SnapshotDiffers: the events differ, or there is no snapshot yet.
            ValueError: the test already checked its snapshot.
        """
        __tracebackhide__ = True  # pytest shows the test's own line
        if self._checked:
            raise ValueError("a test has one snapshot: check all its events at once")
        self._checked = True
        text = snapshot(events, volatile)
        if self._update:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(text, "utf-8")
        elif not self._path.exists():
            raise SnapshotDiffers(f"there is no snapshot {self._path}; create it: {UPDATE}=1 pytest")
        elif (expected := self._path.read_text("utf-8")) != text:
            lines = difflib.unified_diff(expected.splitlines(), text.splitlines(), "snapshot", "published", lineterm="", n=5)
            raise SnapshotDiffers("\n".join([f"{self._path} differs; to accept it: {UPDATE}=1 pytest", *lines]))


def snapshot(events: Sequence[Event[Any]], volatile: Collection[str] = ()) -> str:
    """Return the text of these events: JSON, the same in every run."""
    shown = []
    for event in events:
        delivered = eventbridge(event)
        metadata = {name: f"<{name}>" if name in VOLATILE else value for name, value in delivered["detail"]["metadata"].items()}
        data = _stable(delivered["detail"]["data"], volatile)
        shown.append({"source": event.source, "detail-type": event.name, "detail": {"metadata": metadata, "data": data}})
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def file_name(test: str) -> str:
    """The name of a test's snapshot. A test whose name is no file's name, or too long for one, has a digest in it."""
    safe = _unsafe.sub("_", test)[:NAME_LIMIT]
    return f"{safe}.json" if safe == test else f"{safe}-{hashlib.sha256(test.encode()).hexdigest()[:8]}.json"


def _stable(value: Any, volatile: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {name: f"<{name}>" if name in volatile else _stable(held, volatile) for name, held in value.items()}
    return [_stable(element, volatile) for element in value] if isinstance(value, list) else value
