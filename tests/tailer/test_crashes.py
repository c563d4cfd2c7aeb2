"""A change is poison only if it was in hand at each of several deaths; whatever else ends tasks costs care, not changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailer.crashes import CRASH_LOOP, NONE, ONE, POISON_AFTER, SMALL_BATCH, SPAN, Crashes


def died(deaths: Crashes, times: int, sequence: int = 0) -> Crashes:
    for _ in range(times):
        deaths = deaths.after_crash(sequence)
    return deaths


def test_deaths_without_progress_make_careful() -> None:
    """First runs of a hundred changes, then, after one more death, one change at a time."""
    assert [died(NONE, times, 7).batch_limit for times in range(CRASH_LOOP + 2)] == [0] * CRASH_LOOP + [SMALL_BATCH, ONE]
    assert died(NONE, CRASH_LOOP, 7).until == 7 + SPAN
    assert died(NONE, CRASH_LOOP + 1, 7).until == 7 + SMALL_BATCH


def test_progress_between_deaths_makes_nobody_careful() -> None:
    """Two hundred kills of a task that moves on are two hundred kills, and no more."""
    deaths = NONE
    for number in range(200):
        deaths = deaths.after_crash(number).after_progress(number + 1, caught_up=False)
    assert deaths == NONE


def test_care_outlasts_progress_until_what_the_dead_had_in_hand_is_past() -> None:
    """It narrows the place down: two deaths in one run of a hundred are followed by one change at a time."""
    careful = died(NONE, CRASH_LOOP).after_progress(5_000, caught_up=False)
    assert (careful.batch_limit, careful.count) == (SMALL_BATCH, 0)
    assert careful.after_crash(5_000).after_progress(5_100, caught_up=False).after_crash(5_100).batch_limit == SMALL_BATCH
    one = died(careful, 2, 5_000)
    assert (one.batch_limit, one.until) == (ONE, 5_000 + SMALL_BATCH)
    assert one.after_progress(5_000 + SMALL_BATCH - 1, caught_up=False).batch_limit == ONE
    assert one.after_progress(5_000 + SMALL_BATCH, caught_up=False) == NONE


def test_a_stream_that_is_read_to_its_end_needs_no_care() -> None:
    """Whatever the dead had in hand was committed before."""
    assert died(NONE, CRASH_LOOP + 3).after_progress(0, caught_up=True) == NONE


def test_the_change_in_hand_at_every_death_is_poison() -> None:
    """Not before the last of them, and no other change."""
    deaths = died(NONE, CRASH_LOOP + 1)
    for number in range(POISON_AFTER):
        assert not deaths.poison_reason("a")
        deaths = deaths.before_decoding("a").after_crash(0)
        assert deaths.crashes_on_change == number + 1
    assert f"{POISON_AFTER} tasks died" in deaths.poison_reason("a")
    assert not deaths.poison_reason("b")
    assert not deaths.before_decoding("b").after_crash(0).poison_reason("a")


def test_a_death_with_no_change_in_hand_ends_the_search() -> None:
    """A change that kills is in hand when it does: care for anything else only costs time."""
    assert died(NONE, CRASH_LOOP + 1).before_decoding("a").after_decoding().after_crash(0) == Crashes(count=1)
    assert died(NONE, CRASH_LOOP + 1).before_decoding("a").after_crash(0).batch_limit == ONE


@pytest.mark.parametrize("times", [1, 10, 100])
def test_a_death_with_no_change_in_hand_blames_none(times: int) -> None:
    """An idle stream, a queue that does not answer: the task that is killed there waits."""
    waiting = died(NONE, CRASH_LOOP + 1).before_decoding("a").after_decoding()
    assert not died(waiting, times).poison_reason("a")


@given(st.lists(st.sampled_from(["death", "a", "b", "waits", "moves", "released"])))
def test_no_history_blames_a_change_that_was_not_in_hand_at_its_deaths(history: list[str]) -> None:
    """Whatever happens between: only deaths with it in hand count, and none before it, or another, was left alone."""
    deaths, over = NONE, {"a": 0, "b": 0}
    hand = ""
    for number, event in enumerate(history):
        match event:
            case "death":
                over = {name: count + (name == hand) for name, count in over.items()}
                deaths, hand = deaths.after_crash(number), ""
            case "a" | "b":
                over = {name: count if name == event else 0 for name, count in over.items()}
                deaths, hand = deaths.before_decoding(event), event
            case "waits" if hand:
                over, deaths, hand = {**over, hand: 0}, deaths.after_decoding(), ""
            case "moves":
                over, deaths, hand = {"a": 0, "b": 0}, deaths.after_progress(number, caught_up=False), ""
            case "released":
                deaths, hand = deaths.after_release(), ""
            case _:
                pass
        assert all(bool(deaths.poison_reason(name)) <= (count >= POISON_AFTER) for name, count in over.items())


@pytest.mark.parametrize(
    ("deaths", "words"),
    [
        (NONE, ""),
        (died(NONE, 2), "2 in a row at this position"),
        (died(NONE, CRASH_LOOP), "3 in a row at this position; the owner's batch limit is 100"),
        (
            died(NONE, CRASH_LOOP + 1).before_decoding("8269").after_crash(0),
            "5 in a row at this position, 1 while the change 8269 was decoded; the owner's batch limit is 1",
        ),
    ],
)
def test_the_status_says_how_many_died_and_over_what(deaths: Crashes, words: str) -> None:
    """Nothing where none did."""
    assert str(deaths) == words
