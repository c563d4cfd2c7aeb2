"""Records in this process's memory: for tests, and to try things out. They end with the process."""

import threading

from tailer.model import Record
from tailer.ports import Conflict


class MemoryCheckpoints:
    """Keeps the same promises as the other stores, between the threads of one process."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._writing = threading.Lock()

    def read(self, stream: str) -> Record | None:
        return self._records.get(stream)

    def write(self, record: Record) -> None:
        with self._writing:
            stored = self._records.get(record.stream)
            if (stored.version if stored else 0) != record.version - 1:
                raise Conflict
            self._records[record.stream] = record
