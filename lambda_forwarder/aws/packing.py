"""Calls and waves: how many things go out fast, without one overtaking an earlier one of its document."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def waves(
    items: Iterable[T], *, key: Callable[[T], str], size: Callable[[T], int], count: int, limit: int
) -> Iterator[Sequence[Sequence[T]]]:
    """
    Yield waves of calls: a call holds at most ``count`` items of together less than ``limit`` (or one larger item).

    A key's first item is in the first wave, its second in the second, and so on. So calls of one wave may be made at the
    same time and any item of them may fail and be sent again: none of its key can have overtaken it, as long as the next
    wave waits for this one.
    """
    turns: dict[str, int] = {}
    by_turn: list[list[T]] = []
    for item in items:
        turn = turns.get(key(item), 0)
        turns[key(item)] = turn + 1
        if turn == len(by_turn):
            by_turn.append([])
        by_turn[turn].append(item)
    for wave in by_turn:
        yield list(_calls(wave, size, count, limit))


def _calls(items: Iterable[T], size: Callable[[T], int], count: int, limit: int) -> Iterator[list[T]]:
    call: list[T] = []
    total = 0
    for item in items:
        if call and (len(call) == count or total + size(item) >= limit):
            yield call
            call, total = [], 0
        call.append(item)
        total += size(item)
    if call:
        yield call
