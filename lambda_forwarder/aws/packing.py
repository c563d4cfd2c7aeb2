"""Groups items into calls and waves, for calls in parallel that keep the order of the items of each key."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def waves(
    items: Iterable[T], *, key: Callable[[T], str], size: Callable[[T], int], count: int, limit: int
) -> Iterator[Sequence[Sequence[T]]]:
    """
    Yield waves of calls. A call holds at most ``count`` items with a total size below ``limit`` (or one larger item).

    The first item of each key is in the first wave, the second in the second wave, and so on. So the calls of a wave can run in
    parallel, and an item that fails can be sent again before a later item of its key, if each wave waits for the one before.
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
