"""A change is poison only if it was in hand at several deaths. Other deaths only make the next task careful."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailer.crashes import CRASH_LOOP, NONE, ONE, POISON_AFTER, SMALL_BATCH, SPAN, Crashes


def died(deaths: Crashes, times: int, sequence: int = 0) -> Crashes:
    for _ in range(times):
        deaths = deaths.after_crash(sequence)
    return deaths


def test_deaths_without_progress_make_the_next_task_careful() -> None:
    """First runs of a hundred changes; after another death one change at a time."""
    assert [died(NONE, times, 7).batch_limit for times in range(CRASH_LOOP + 2)] == [0] * CRASH_LOOP + [SMALL_BATCH, ONE]
    assert died(NONE, CRASH_LOOP, 7).until == 7 + SPAN
    assert died(NONE, CRASH_LOOP + 1, 7).until == 7 + SMALL_BATCH


def test_deaths_with_progress_between_make_nobody_careful() -> None:
    deaths = NONE
    for number in range(200):
        deaths = deaths.after_crash(number).after_progress(number + 1, caught_up=False)
    assert deaths == NONE


def test_careful_mode_lasts_until_the_changes_in_hand_are_passed() -> None:
    """Two deaths in one run of a hundred are followed by one change at a time."""
    careful = died(NONE, CRASH_LOOP).after_progress(5_000, caught_up=False)
    assert (careful.batch_limit, careful.count) == (SMALL_BATCH, 0)
    assert careful.after_crash(5_000).after_progress(5_100, caught_up=False).after_crash(5_100).batch_limit == SMALL_BATCH
    one = died(careful, 2, 5_000)
    assert (one.batch_limit, one.until) == (ONE, 5_000 + SMALL_BATCH)
    assert one.after_progress(5_000 + SMALL_BATCH - 1, caught_up=False).batch_limit == ONE
    assert one.after_progress(5_000 + SMALL_BATCH, caught_up=False) == NONE


def test_stream_read_to_its_end_needs_no_care() -> None:
    """Every change that was in hand at a death had been committed before."""
    assert died(NONE, CRASH_LOOP + 3).after_progress(0, caught_up=True) == NONE


def test_change_in_hand_at_every_death_is_poison() -> None:
    """Only after the last of them, and no other change."""
    deaths = died(NONE, CRASH_LOOP + 1)
    for number in range(POISON_AFTER):
        assert not deaths.poison_reason("a")
        deaths = deaths.before_decoding("a").after_crash(0)
        assert deaths.crashes_on_change == number + 1
    assert f"{POISON_AFTER} tasks died" in deaths.poison_reason("a")
    assert not deaths.poison_reason("b")
    assert not deaths.before_decoding("b").after_crash(0).poison_reason("a")


def test_death_with_no_change_in_hand_ends_the_search() -> None:
    """A fatal change is in hand when it kills."""
    assert died(NONE, CRASH_LOOP + 1).before_decoding("a").after_decoding().after_crash(0) == Crashes(count=1)
    assert died(NONE, CRASH_LOOP + 1).before_decoding("a").after_crash(0).batch_limit == ONE


@pytest.mark.parametrize("times", [1, 10, 100])
def test_death_with_no_change_in_hand_blames_none(times: int) -> None:
    """For example of an idle or waiting task."""
    waiting = died(NONE, CRASH_LOOP + 1).before_decoding("a").after_decoding()
    assert not died(waiting, times).poison_reason("a")


@given(st.lists(st.sampled_from(["death", "a", "b", "waits", "moves", "released"])))
def test_no_change_is_blamed_without_being_in_hand_at_the_deaths(history: list[str]) -> None:
    """Whatever happens between."""
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
def test_status_shows_the_number_of_deaths_and_the_change(deaths: Crashes, words: str) -> None:
    assert str(deaths) == words
