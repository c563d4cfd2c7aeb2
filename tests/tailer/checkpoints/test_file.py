"""The file store, on a real file system."""

import errno
import fcntl
from pathlib import Path

import pytest

from tailer.checkpoints.file import FileCheckpoints
from tailer.errors import Misconfigured, Unavailable
from tailer.model import Record
from tests.conformance.checkpoint_store import CheckpointStoreConformance


class TestFileCheckpoints(CheckpointStoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FileCheckpoints:
        return FileCheckpoints(tmp_path / "state" / "checkpoints.json")


def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path) -> None:
    """Never overwritten by a fresh start."""
    path = tmp_path / "checkpoints.json"
    path.write_text('{"payments":')
    with pytest.raises(Misconfigured, match=r"TAILER_CHECKPOINTS: .*checkpoints\.json cannot be read"):
        FileCheckpoints(path).write(Record(stream="payments", version=1))
    assert path.read_text() == '{"payments":'


def test_a_disk_that_is_full_is_waited_for(tmp_path: Path) -> None:
    """The record before it stays whole, and the next attempt is taken."""
    store = FileCheckpoints(tmp_path / "checkpoints.json")
    store.write(Record(stream="payments", version=1))
    full = tmp_path / "checkpoints.new"
    full.symlink_to("/dev/full")
    with pytest.raises(Unavailable, match=r"TAILER_CHECKPOINTS: .*checkpoints\.json was not written: .*No space left"):
        store.write(Record(stream="payments", version=2))
    assert store.read("payments") == Record(stream="payments", version=1)
    full.unlink()
    store.write(Record(stream="payments", version=2))
    assert store.read("payments") == Record(stream="payments", version=2)


def test_a_folder_that_cannot_be_locked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network file systems know no locks: two writers could undo each other's records."""

    def unlockable(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unlockable)
    with pytest.raises(Misconfigured, match=r"cannot be written: .*No locks available"):
        FileCheckpoints(tmp_path / "checkpoints.json").write(Record(stream="payments", version=1))
