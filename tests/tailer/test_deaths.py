"""A change is poison only if it was in hand at each of several deaths; whatever else ends tasks costs care, not changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailer.deaths import LIMIT, LOOP, NONE, ONE, RUN, SPAN, Deaths


def died(deaths: Deaths, times: int, sequence: int = 0) -> Deaths:
    for _ in range(times):
        deaths = deaths.another(sequence)
    return deaths


def test_deaths_without_progress_make_careful() -> None:
    """First runs of a hundred changes, then, after one more death, one change at a time."""
    assert [died(NONE, times, 7).careful for times in range(LOOP + 2)] == [0] * LOOP + [RUN, ONE]
    assert died(NONE, LOOP, 7).until == 7 + SPAN
    assert died(NONE, LOOP + 1, 7).until == 7 + RUN


def test_progress_between_deaths_makes_nobody_careful() -> None:
    """Two hundred kills of a task that moves on are two hundred kills, and no more."""
    deaths = NONE
    for number in range(200):
        deaths = deaths.another(number).moved(number + 1, caught_up=False)
    assert deaths == NONE


def test_care_outlasts_progress_until_what_the_dead_had_in_hand_is_past() -> None:
    """It narrows the place down: two deaths in one run of a hundred are followed by one change at a time."""
    careful = died(NONE, LOOP).moved(5_000, caught_up=False)
    assert (careful.careful, careful.count) == (RUN, 0)
    assert careful.another(5_000).moved(5_100, caught_up=False).another(5_100).careful == RUN
    one = died(careful, 2, 5_000)
    assert (one.careful, one.until) == (ONE, 5_000 + RUN)
    assert one.moved(5_000 + RUN - 1, caught_up=False).careful == ONE
    assert one.moved(5_000 + RUN, caught_up=False) == NONE


def test_a_stream_that_is_read_to_its_end_needs_no_care() -> None:
    """Whatever the dead had in hand was committed before."""
    assert died(NONE, LOOP + 3).moved(0, caught_up=True) == NONE


def test_the_change_in_hand_at_every_death_is_poison() -> None:
    """Not before the last of them, and no other change."""
    deaths = died(NONE, LOOP + 1)
    for number in range(LIMIT):
        assert not deaths.verdict("a")
        deaths = deaths.begins("a").another(0)
        assert deaths.begun == number + 1
    assert f"{LIMIT} tasks died" in deaths.verdict("a")
    assert not deaths.verdict("b")
    assert not deaths.begins("b").another(0).verdict("a")


def test_a_death_with_no_change_in_hand_ends_the_search() -> None:
    """A change that kills is in hand when it does: care for anything else only costs time."""
    assert died(NONE, LOOP + 1).begins("a").goes_on().another(0) == Deaths(count=1)
    assert died(NONE, LOOP + 1).begins("a").another(0).careful == ONE


@pytest.mark.parametrize("times", [1, 10, 100])
def test_a_death_with_no_change_in_hand_blames_none(times: int) -> None:
    """An idle stream, a queue that does not answer: the task that is killed there waits."""
    waiting = died(NONE, LOOP + 1).begins("a").goes_on()
    assert not died(waiting, times).verdict("a")


@given(st.lists(st.sampled_from(["death", "a", "b", "waits", "moves", "released"])))
def test_no_history_blames_a_change_that_was_not_in_hand_at_its_deaths(history: list[str]) -> None:
    """Whatever happens between: only deaths with it in hand count, and none before it, or another, was left alone."""
    deaths, over = NONE, {"a": 0, "b": 0}
    hand = ""
    for number, event in enumerate(history):
        match event:
            case "death":
                over = {name: count + (name == hand) for name, count in over.items()}
                deaths, hand = deaths.another(number), ""
            case "a" | "b":
                over = {name: count if name == event else 0 for name, count in over.items()}
                deaths, hand = deaths.begins(event), event
            case "waits" if hand:
                over, deaths, hand = {**over, hand: 0}, deaths.goes_on(), ""
            case "moves":
                over, deaths, hand = {"a": 0, "b": 0}, deaths.moved(number, caught_up=False), ""
            case "released":
                deaths, hand = deaths.handed_over(), ""
            case _:
                pass
        assert all(bool(deaths.verdict(name)) <= (count >= LIMIT) for name, count in over.items())


@pytest.mark.parametrize(
    ("deaths", "words"),
    [
        (NONE, ""),
        (died(NONE, 2), "2 in a row at this position"),
        (died(NONE, LOOP), "3 in a row at this position; the owner works on 100 at a time"),
        (
            died(NONE, LOOP + 1).begins("8269").another(0),
            "5 in a row at this position, 1 while the change 8269 was decoded; the owner works on 1 at a time",
        ),
    ],
)
def test_the_status_says_how_many_died_and_over_what(deaths: Deaths, words: str) -> None:
    """Nothing where none did."""
    assert str(deaths) == words
