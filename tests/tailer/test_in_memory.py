"""The source and the sink in memory keep the promises of their ports."""

from collections.abc import Callable

import pytest

from tailer.in_memory import MemorySink, MemorySource
from tailer.model import Checkpoint
from tailrace.wire.change import Change
from tests.conformance.sink import Received, SinkConformance
from tests.conformance.source import Commit, SourceConformance
from tests.samples.changes import a_change


class TestMemorySource(SourceConformance):
    @pytest.fixture
    def source(self) -> MemorySource:
        return MemorySource(poll=0.01)

    @pytest.fixture
    def commit(self, source: MemorySource) -> Commit:
        return lambda count: source.commit(*(a_change() for _ in range(count)))

    @pytest.fixture
    def commit_elsewhere(self, source: MemorySource) -> Callable[[], object]:
        return source.commit_elsewhere

    @pytest.fixture
    def expired(self, source: MemorySource) -> Checkpoint:
        position = source.first()
        source.commit(a_change())
        source.forget()
        return position


class TestMemorySink(SinkConformance):
    @pytest.fixture
    def sink(self) -> MemorySink:
        return MemorySink()

    @pytest.fixture
    def received(self, sink: MemorySink) -> Received:
        def taken() -> list[Change]:
            sink.accepted, accepted = [], sink.accepted
            return accepted

        return taken
