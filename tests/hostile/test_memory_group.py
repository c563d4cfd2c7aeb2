"""A command in a memory cgroup: what it took, and whether the limit killed it."""

import sys

import pytest

from tests.hostile.memory_group import MB, MemoryGroup, run_within, unavailable

LIMIT = 128 * MB
WHY_NOT = unavailable()


def takes(bytes_: int) -> list[str]:
    return [sys.executable, "-I", "-c", f"print(len(bytearray({bytes_})))"]


@pytest.mark.skipif(WHY_NOT != "", reason=WHY_NOT)
def test_what_stays_within_its_limit_ends_by_itself() -> None:
    """The peak is that of the whole process, so above what the command asked for."""
    ended = run_within(LIMIT, takes(64 * MB))
    assert (ended.returncode, ended.killed, ended.output) == (0, False, f"{64 * MB}\n")
    assert 64 * MB < ended.peak < LIMIT


@pytest.mark.skipif(WHY_NOT != "", reason=WHY_NOT)
def test_what_passes_its_limit_is_killed() -> None:
    """As a task of ECS that takes more than its memory: exit code -9, and the group says why."""
    ended = run_within(LIMIT, takes(2 * LIMIT))
    assert (ended.returncode, ended.killed) == (-9, True)


@pytest.mark.skipif(WHY_NOT != "", reason=WHY_NOT)
def test_a_group_is_gone_after_use() -> None:
    """Whatever still runs in it is ended."""
    with MemoryGroup(LIMIT) as group:
        folder = group.folder
        assert folder.exists()
    assert not folder.exists()


def test_without_a_group_the_process_is_measured_alone() -> None:
    """Where no cgroup can be made, a test can still compare the peak of the process."""
    ended = run_within(0, takes(64 * MB))
    assert (ended.returncode, ended.killed, ended.peak) == (0, False, 0)
    assert ended.resident > 64 * MB
