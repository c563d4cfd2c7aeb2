"""An inbox in memory, for tests."""

from collections.abc import Callable
from threading import Lock
from typing import Any

from tailrace.consuming.event import Event


class MemoryInbox:
    """See ``Inbox``. An effect is a function without arguments. The notes are lost with the process."""

    def __init__(self) -> None:
        self._handled: set[str] = set()
        self._newest: dict[tuple[str, str], tuple[tuple[int, int], set[str]]] = {}
        self._lock = Lock()

    def once(self, event: Event[Any], *effects: Callable[[], object]) -> bool:
        with self._lock:
            if event.id in self._handled:
                return False
            for effect in effects:
                effect()
            self._handled.add(event.id)
            return True

    def newest(self, event: Event[Any], *effects: Callable[[], object]) -> bool:
        document = (event.metadata.stream, event.document)
        with self._lock:
            position, ids = self._newest.get(document, ((-1, -1), set()))
            if event.position < position or (event.position == position and event.id in ids):
                return False
            for effect in effects:
                effect()
            self._newest[document] = (event.position, {event.id} | (ids if event.position == position else set()))
            return True
