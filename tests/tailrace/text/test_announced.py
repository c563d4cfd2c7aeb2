"""Long work is announced, so that a person does not take it for a program that hangs."""

import pytest

from tailrace.text.terminal import announced
from tests.eventually import eventually


def test_work_that_takes_long_is_named_while_it_lasts(capsys: pytest.CaptureFixture[str]) -> None:
    """Once, on standard error, and with control characters escaped."""
    printed: list[str] = []

    def is_printed() -> bool:
        printed.append(capsys.readouterr().err)
        return any(printed)

    with announced("importing \x1b[2J", after=0):
        assert eventually(is_printed)
    assert "".join(printed) == "importing \\u001b[2J\n"


def test_short_work_is_done_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    with announced("importing", after=3600):
        pass
    assert capsys.readouterr().err == ""
