"""Items in groups that fit a call or a message."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def fitting(items: Iterable[T], *, size: Callable[[T], int], count: int, limit: int) -> Iterator[list[T]]:
    """Yield the items in order, at most ``count`` at a time, with a total size of at most ``limit`` or one larger item."""
    group: list[T] = []
    total = 0
    for item in items:
        if group and (len(group) == count or total + size(item) > limit):
            yield group
            group, total = [], 0
        group.append(item)
        total += size(item)
    if group:
        yield group
