"""The in-memory store passes the conformance suite."""

import pytest

from tailer.stores.memory import MemoryCheckpoints
from tests.conformance.checkpoint_store import CheckpointStoreConformance


class TestMemoryCheckpoints(CheckpointStoreConformance):
    @pytest.fixture
    def store(self) -> MemoryCheckpoints:
        return MemoryCheckpoints()
