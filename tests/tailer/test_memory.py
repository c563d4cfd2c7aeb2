"""The memory of a task per stream."""

from benchmarks.memory import rss
from benchmarks.streams import tables
from devstack import DevStack

OF_A_TASK = 130  # MB; measured 76
OF_TWENTY_STREAMS = 20  # MB; measured 0.4, and 560 when each had clients of its own


def test_twenty_streams_take_hardly_more_memory_than_one(stack: DevStack, fresh: str, queue_url: str) -> None:
    """They share a session, the AWS clients and the client of the cluster."""
    one, twenty = (memory_of(stack, fresh, queue_url, streams) for streams in (1, 20))
    assert one < OF_A_TASK
    assert twenty - one < OF_TWENTY_STREAMS


def memory_of(stack: DevStack, name: str, queue_url: str, streams: int) -> float:
    """Return the memory in MB of a task with this many streams."""
    tailer = stack.start_tailer(config_toml=tables(name, streams), queue_url=queue_url, collections="")
    try:
        tailer.wait_ready()
        return rss(tailer)
    finally:
        tailer.stop()
