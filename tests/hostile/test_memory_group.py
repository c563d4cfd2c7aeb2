"""A command in a memory cgroup: its peak memory, and whether the limit killed it."""

import sys

import pytest

from tests.hostile.memory_group import MB, MemoryGroup, run_within, unavailable

LIMIT = 128 * MB
WHY_NOT = unavailable()


def allocate(bytes_: int) -> list[str]:
    return [sys.executable, "-I", "-c", f"print(len(bytearray({bytes_})))"]


@pytest.mark.skipif(WHY_NOT != "", reason=WHY_NOT)
def test_command_within_the_limit_ends_by_itself() -> None:
    """The peak is that of the whole process."""
    ended = run_within(LIMIT, allocate(64 * MB))
    assert (ended.returncode, ended.killed, ended.output) == (0, False, f"{64 * MB}\n")
    assert 64 * MB < ended.peak < LIMIT


@pytest.mark.skipif(WHY_NOT != "", reason=WHY_NOT)
def test_command_above_the_limit_is_killed() -> None:
    """Exit code -9, as of a task on ECS."""
    ended = run_within(LIMIT, allocate(2 * LIMIT))
    assert (ended.returncode, ended.killed) == (-9, True)


@pytest.mark.skipif(WHY_NOT != "", reason=WHY_NOT)
def test_group_is_removed_after_use() -> None:
    """With every process in it."""
    with MemoryGroup(LIMIT) as group:
        folder = group.folder
        assert folder.exists()
    assert not folder.exists()


def test_process_is_measured_without_a_group() -> None:
    """A test can still compare the peak of the process where no cgroup can be created."""
    ended = run_within(0, allocate(64 * MB))
    assert (ended.returncode, ended.killed, ended.peak) == (0, False, 0)
    assert ended.resident > 64 * MB
