"""Ctrl-C and SIGTERM: at once, but not in the middle of what must not be half done."""

import os
import signal
import threading

import pytest

from tailer.cli.interrupts import Interrupted, Interrupts


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def number(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def interrupt(number: int) -> None:
    os.kill(os.getpid(), number)


def test_it_ends_the_block_with_the_code_of_a_shell(number: int) -> None:
    """And afterwards the handlers are those of before."""
    interrupts, before = Interrupts(), signal.getsignal(number)
    with pytest.raises(Interrupted) as caught, interrupts.heard():
        interrupt(number)
    assert caught.value.exit_code == 128 + number
    assert signal.getsignal(number) is before


def test_a_shield_holds_it_back_until_its_end(number: int) -> None:
    """Of several shields until the outermost has ended."""
    interrupts, done = Interrupts(), []

    def command() -> None:
        with interrupts.shielded():
            with interrupts.shielded():
                interrupt(number)
                done.append("inner")
            done.append("outer")
        done.append("behind")

    with pytest.raises(Interrupted), interrupts.heard():
        command()
    assert done == ["inner", "outer"]


def test_an_error_in_a_shield_stays_that_error(number: int) -> None:
    """It ends the command as well."""
    interrupts = Interrupts()

    def command() -> None:
        with interrupts.shielded():
            interrupt(number)
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"), interrupts.heard():
        command()


def test_what_is_decided_is_done(number: int) -> None:
    """An interrupt from then on ends nothing; one that was held back before ends it there."""
    interrupts, done = Interrupts(), []
    with interrupts.heard():
        interrupts.too_late()
        interrupt(number)
        with interrupts.shielded():
            done.append("written")
        done.append("said")
    assert done == ["written", "said"]
    with pytest.raises(Interrupted), interrupts.heard():
        interrupt(number)


def test_what_was_ignored_stays_ignored(number: int) -> None:
    """As in a shell's background, or below nohup."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Interrupts().heard():
            interrupt(number)
    finally:
        signal.signal(number, before)


def test_another_thread_hears_nothing() -> None:
    """Only a main thread may have handlers; a command in another thread runs as before."""
    done = []

    def command() -> None:
        with Interrupts().heard():
            done.append(True)

    thread = threading.Thread(target=command)
    thread.start()
    thread.join()
    assert done == [True]
