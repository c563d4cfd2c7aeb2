"""The file store, on a real file system."""

import errno
import fcntl
import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tailer.errors import Misconfigured, Unavailable
from tailer.model import Record
from tailer.stores.file import FileCheckpoints
from tests.conformance.checkpoint_store import CheckpointStoreConformance, KeepsOldRecords, Put


class TestFileCheckpoints(CheckpointStoreConformance, KeepsOldRecords):
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "state" / "checkpoints.json"

    @pytest.fixture
    def store(self, path: Path) -> FileCheckpoints:
        return FileCheckpoints(path)

    @pytest.fixture
    def put(self, path: Path) -> Put:
        def put(record: Mapping[str, Any]) -> None:
            path.parent.mkdir()
            path.write_text(json.dumps({record["stream"]: record}))

        return put


def test_damaged_file_is_named_and_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.json"
    path.write_text('{"payments":')
    with pytest.raises(Misconfigured, match=r"TAILER_CHECKPOINTS: .*checkpoints\.json cannot be read"):
        FileCheckpoints(path).write(Record(stream="payments", version=1))
    assert path.read_text() == '{"payments":'


def test_full_disk_is_unavailable(tmp_path: Path) -> None:
    """The previous record stays complete, and the next attempt succeeds."""
    store = FileCheckpoints(tmp_path / "checkpoints.json")
    store.write(Record(stream="payments", version=1))
    full = tmp_path / "checkpoints.json.new"
    full.symlink_to("/dev/full")
    with pytest.raises(Unavailable, match=r"TAILER_CHECKPOINTS: .*checkpoints\.json could not be written: .*No space left"):
        store.write(Record(stream="payments", version=2))
    assert store.read("payments") == Record(stream="payments", version=1)
    full.unlink()
    store.write(Record(stream="payments", version=2))
    assert store.read("payments") == Record(stream="payments", version=2)


NEIGHBOURS = ("a", "a.json", "a.toml", "a.json.bak", ".a")


def test_stores_in_one_folder_share_no_file(tmp_path: Path) -> None:
    """Names that differ only after a dot are different stores, even with many writers at once."""
    writers, rounds = 3, 8
    together = threading.Barrier(len(NEIGHBOURS) * writers)

    def write(name: str, stream: str) -> None:
        store = FileCheckpoints(tmp_path / name)
        for version in range(1, rounds + 1):
            together.wait()
            store.write(Record(stream=stream, version=version, owner=name))

    with ThreadPoolExecutor(len(NEIGHBOURS) * writers) as threads:
        for written in [threads.submit(write, name, f"s{one}") for name in NEIGHBOURS for one in range(writers)]:
            written.result()
    for name in NEIGHBOURS:
        store = FileCheckpoints(tmp_path / name)
        for one in range(writers):
            assert store.read(f"s{one}") == Record(stream=f"s{one}", version=rounds, owner=name)


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_store_does_not_wait_for_the_lock_of_another(tmp_path: Path, name: str) -> None:
    for other in set(NEIGHBOURS) - {name}:
        with FileCheckpoints(tmp_path / other)._locked():
            assert not _is_locked(tmp_path / f"{name}.lock")
    with FileCheckpoints(tmp_path / name)._locked():
        assert _is_locked(tmp_path / f"{name}.lock")


def _is_locked(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.parametrize("name", ["a.lock", "a.json.new"])
def test_store_name_must_not_be_the_lock_of_another(tmp_path: Path, name: str) -> None:
    """Its records would be overwritten."""
    with pytest.raises(Misconfigured, match=f"{name} must not end in"):
        FileCheckpoints(tmp_path / name)


def test_folder_without_file_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On some network file systems two writers could overwrite each other's records."""

    def unlockable(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unlockable)
    with pytest.raises(Misconfigured, match=r"cannot be written: .*No locks available"):
        FileCheckpoints(tmp_path / "checkpoints.json").write(Record(stream="payments", version=1))
