"""Property tests do not depend on how busy the machine is."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("slow", ["drawing", "running"])
def test_busy_machine_fails_no_property(slow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing and running an example may take a minute: hypothesis reads a fake clock."""
    now, played = time.perf_counter(), [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now + played[0])

    def busy(when: str) -> None:
        played[0] += 60 * (when == slow)

    @settings(max_examples=20, database=None)
    @given(st.integers().map(lambda _: busy("drawing")))
    def holds(_: None) -> None:
        busy("running")

    holds()
