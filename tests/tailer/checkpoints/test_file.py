"""The file store, on a real file system."""

from pathlib import Path

import pytest

from tailer.checkpoints.file import FileCheckpoints
from tailer.errors import Misconfigured
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
