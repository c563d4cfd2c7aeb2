"""A seed is all it takes to see the same faults again."""

import pytest

from tests.faults.schedule import FULL, SHORT, scaled, schedule


def test_a_seed_replays_its_schedule() -> None:
    """The same faults, pauses and strengths; another seed gives others."""
    assert schedule(7, FULL) == schedule(7, FULL)
    assert schedule(7, FULL) != schedule(8, FULL)


@pytest.mark.parametrize("counts", [FULL, SHORT])
def test_everything_happens_as_often_as_asked(counts: dict[str, int]) -> None:
    """Whether it takes one step each or comes several calls at a time."""
    faults = schedule(1, counts)
    assert {kind: sum(fault.calls for fault in faults if fault.kind == kind) for kind in counts} == dict(counts)


def test_a_full_run_is_as_hard_as_promised() -> None:
    """What the closing note says of it."""
    assert FULL["kill"] >= 200
    assert FULL["zombie"] >= 20
    assert FULL["crash_primary"] + FULL["step_down"] >= 20
    assert FULL["throttle"] + FULL["partial"] >= 200


def test_only_some_kinds_can_be_asked_for() -> None:
    """At least one of each; an unknown one is named."""
    assert scaled(FULL, 0.01, ["kill", "zombie"]) == {"kill": 2, "zombie": 1}
    with pytest.raises(ValueError, match="there is no fault flood"):
        scaled(FULL, 1, ["flood"])
