"""
Items in calls: calls in parallel that keep the order of the items of each key, and batch calls of SQS, whose response has the
status 200 although each entry succeeded or failed by itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from lambda_forwarder import deadline
from lambda_forwarder.errors import Unavailable, aws_error
from lambda_forwarder.ports import TimeLeft
from tailrace.aws.calls import fitting

CALL_COUNT = 10  # entries, SQS, one call

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
        yield list(fitting(wave, size=size, count=count, limit=limit - 1))


def call_in_tens(
    operation: str, call: Callable[..., Mapping[str, Any]], entries: Sequence[Mapping[str, object]], time_left: TimeLeft
) -> None:
    """Make a batch call of SQS for each ten entries, in order. Return only if the responses confirm every entry."""
    for start in range(0, len(entries), CALL_COUNT):
        deadline.check(time_left, f"{operation} was called for {len(entries) - start} messages")
        batch = [{"Id": str(number), **entry} for number, entry in enumerate(entries[start : start + CALL_COUNT])]
        check_batch(operation, batch, call(Entries=batch))


def check_batch(operation: str, entries: Sequence[Mapping[str, Any]], response: Mapping[str, Any]) -> None:
    """
    Return only if the response confirms every entry. A missing entry counts as failed. After an error, other entries may have
    succeeded.
    """
    for failed in response.get("Failed", ()):
        raise aws_error(operation, failed["Code"], failed.get("Message", ""))
    missing = {entry["Id"] for entry in entries} - {done["Id"] for done in response.get("Successful", ())}
    if missing:
        raise Unavailable(f"{operation}: the response does not mention {len(missing)} of {len(entries)} entries")
