"""A seed replays the same faults."""

import pytest

from tests.faults.schedule import FULL, SHORT, scaled, schedule


def test_seed_replays_its_schedule() -> None:
    assert schedule(7, FULL) == schedule(7, FULL)
    assert schedule(7, FULL) != schedule(8, FULL)


@pytest.mark.parametrize("counts", [FULL, SHORT])
def test_every_fault_happens_as_often_as_requested(counts: dict[str, int]) -> None:
    """Also for faults that are armed for several calls at once."""
    faults = schedule(1, counts)
    assert {kind: sum(fault.calls for fault in faults if fault.kind == kind) for kind in counts} == dict(counts)


def test_full_run_has_the_documented_number_of_faults() -> None:
    assert FULL["kill"] >= 200
    assert FULL["zombie"] >= 20
    assert FULL["crash_primary"] + FULL["step_down"] >= 20
    assert FULL["throttle"] + FULL["partial"] >= 200


def test_schedule_can_be_limited_to_some_kinds() -> None:
    """At least one of each. An unknown kind is named."""
    assert scaled(FULL, 0.01, ["kill", "zombie"]) == {"kill": 2, "zombie": 1}
    with pytest.raises(ValueError, match="there is no fault flood"):
        scaled(FULL, 1, ["flood"])
