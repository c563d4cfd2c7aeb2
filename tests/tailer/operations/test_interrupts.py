"""SIGINT and SIGTERM take effect at once, except within a protected block."""

import os
import signal
import threading

import pytest

from tailer.operations.interrupts import Interrupted, Interrupts


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def number(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def interrupt(number: int) -> None:
    os.kill(os.getpid(), number)


def test_interrupt_ends_the_block_with_the_exit_code_of_a_shell(number: int) -> None:
    """Afterwards the previous handlers are restored."""
    interrupts, before = Interrupts(), signal.getsignal(number)
    with pytest.raises(Interrupted) as caught, interrupts.handled():
        interrupt(number)
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) is before


def test_interrupt_waits_for_the_end_of_a_shield(number: int) -> None:
    """Of nested shields the outermost."""
    interrupts, done = Interrupts(), []

    def command() -> None:
        with interrupts.shielded():
            with interrupts.shielded():
                interrupt(number)
                done.append("inner")
            done.append("outer")
        done.append("behind")

    with pytest.raises(Interrupted), interrupts.handled():
        command()
    assert done == ["inner", "outer"]


def test_error_within_a_shield_is_raised(number: int) -> None:
    interrupts = Interrupts()

    def command() -> None:
        with interrupts.shielded():
            interrupt(number)
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"), interrupts.handled():
        command()


def test_interrupt_after_the_decision_has_no_effect(number: int) -> None:
    """An earlier one, held back until then, takes effect there."""
    interrupts, done = Interrupts(), []
    with interrupts.handled():
        interrupts.too_late()
        interrupt(number)
        with interrupts.shielded():
            done.append("written")
        done.append("said")
    assert done == ["written", "said"]
    with pytest.raises(Interrupted), interrupts.handled():
        interrupt(number)


def test_ignored_signal_stays_ignored(number: int) -> None:
    """As in a shell's background, or with nohup."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Interrupts().handled():
            interrupt(number)
    finally:
        signal.signal(number, before)


def test_interrupts_do_nothing_outside_the_main_thread() -> None:
    """Only the main thread may install handlers."""
    done = []

    def command() -> None:
        with Interrupts().handled():
            done.append(True)

    thread = threading.Thread(target=command)
    thread.start()
    thread.join()
    assert done == [True]
