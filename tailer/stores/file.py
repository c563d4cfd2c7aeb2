"""Records in a JSON file: for one machine. Several tasks of that machine may share it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec

from tailer.errors import Misconfigured, Unavailable
from tailer.model import Record
from tailer.ports import Conflict
from tailer.stored_form import record_from, stored_record
from tailer.stores.kind import Clients, Kind

_LOCK, _NEW = ".lock", ".new"  # added to the whole name of the file: a.json and a.toml share neither


class FileCheckpoints(Kind):
    """One file, replaced as a whole: a crash leaves either the old or the new one. A lock file beside it orders the writers."""

    form, pattern = "file:///PATH (one machine only)", r"file:///.+"
    outage = "check that the disk of the file in TAILER_CHECKPOINTS is mounted, works and has space left: df -h"
    mistake = "correct the path in TAILER_CHECKPOINTS, or let the user of the tailer write the file and its folder"

    @classmethod
    def of(cls, url: str, clients: Clients) -> Self:  # noqa: ARG003 - a file needs none
        return cls(Path(url.partition("://")[2]))

    def __init__(self, path: Path) -> None:
        if path.suffix in (_LOCK, _NEW):
            raise Misconfigured(
                f"TAILER_CHECKPOINTS: {path} must not end in {path.suffix}: the file store uses that ending for its own files"
            )
        self._path = path

    def read(self, stream: str) -> Record | None:
        return self._records().get(stream)

    def write(self, record: Record) -> None:
        with self._locked():
            records = self._records()
            stored = records.get(record.stream)
            if (stored.version if stored else 0) != record.version - 1:
                raise Conflict
            self._replace(records | {record.stream: record})

    def _records(self) -> dict[str, Record]:
        try:
            stored = msgspec.json.decode(self._path.read_bytes(), type=dict[str, dict[str, Any]])
            return {stream: record_from(record) for stream, record in stored.items()}
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            raise Misconfigured(f"TAILER_CHECKPOINTS: {self._path} cannot be read as checkpoints: {error}") from error

    def _replace(self, records: dict[str, Record]) -> None:
        new, stored = self._beside(_NEW), {stream: stored_record(record) for stream, record in records.items()}
        try:
            with new.open("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(stored), indent=2))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:  # the disk is full or fails; whether the record was written is unknown
            raise Unavailable(f"TAILER_CHECKPOINTS: {self._path} could not be written: {error}") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with ExitStack() as opened:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                lock = opened.enter_context(self._beside(_LOCK).open("a"))
                fcntl.flock(lock, fcntl.LOCK_EX)
            except OSError as error:
                raise Misconfigured(f"TAILER_CHECKPOINTS: {self._path} cannot be written: {error}") from error
            yield

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)
