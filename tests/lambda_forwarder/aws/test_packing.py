"""Calls and waves keep their limits, and no document overtakes itself."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from lambda_forwarder.aws.batches import waves

COUNT, LIMIT = 10, 100

items = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 120)), max_size=200)


def packed(things: list[tuple[str, int]]) -> list[list[list[tuple[int, str, int]]]]:
    numbered = [(number, key, size) for number, (key, size) in enumerate(things)]
    grouped = waves(numbered, key=lambda item: item[1], size=lambda item: item[2], count=COUNT, limit=LIMIT)
    return [[list(call) for call in wave] for wave in grouped]


@given(items)
def test_every_item_is_packed_once(things: list[tuple[str, int]]) -> None:
    numbers = [number for wave in packed(things) for call in wave for number, _, _ in call]
    assert sorted(numbers) == list(range(len(things)))


@given(items)
def test_call_stays_within_its_limits(things: list[tuple[str, int]]) -> None:
    """Ten items and less than the size limit, unless a single item exceeds it."""
    for call in chain.from_iterable(packed(things)):
        assert 1 <= len(call) <= COUNT
        assert len(call) == 1 or sum(size for _, _, size in call) < LIMIT


@given(items)
def test_document_is_in_order_and_once_per_wave(things: list[tuple[str, int]]) -> None:
    """Any item of a wave may fail and be retried while later waves wait."""
    last: dict[str, int] = {}
    for wave in packed(things):
        keys = [key for call in wave for _, key, _ in call]
        assert len(keys) == len(set(keys))
        for number, key, _ in chain.from_iterable(wave):
            assert last.get(key, -1) < number
            last[key] = number


def test_different_documents_share_calls() -> None:
    things = [(str(number), 1) for number in range(25)]
    assert [[len(call) for call in wave] for wave in packed(things)] == [[10, 10, 5]]
