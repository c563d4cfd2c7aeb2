"""Calls and waves: limits hold and no document overtakes itself, whatever comes."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from lambda_forwarder.aws.packing import waves

COUNT, LIMIT = 10, 100

items = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 120)), max_size=200)


def packed(things: list[tuple[str, int]]) -> list[list[list[tuple[int, str, int]]]]:
    numbered = [(number, key, size) for number, (key, size) in enumerate(things)]
    grouped = waves(numbered, key=lambda item: item[1], size=lambda item: item[2], count=COUNT, limit=LIMIT)
    return [[list(call) for call in wave] for wave in grouped]


@given(items)
def test_everything_goes_out_once(things: list[tuple[str, int]]) -> None:
    """Nothing is lost and nothing doubled by packing."""
    numbers = [number for wave in packed(things) for call in wave for number, _, _ in call]
    assert sorted(numbers) == list(range(len(things)))


@given(items)
def test_a_call_keeps_its_limits(things: list[tuple[str, int]]) -> None:
    """A call has at most ten items of together less than the limit; only an item that alone exceeds it stands alone."""
    for call in chain.from_iterable(packed(things)):
        assert 1 <= len(call) <= COUNT
        assert len(call) == 1 or sum(size for _, _, size in call) < LIMIT


@given(items)
def test_a_document_is_in_order_and_never_twice_in_a_wave(things: list[tuple[str, int]]) -> None:
    """Within a wave any item may fail and be repeated: nothing of its document is beside it, and the next waits."""
    last: dict[str, int] = {}
    for wave in packed(things):
        keys = [key for call in wave for _, key, _ in call]
        assert len(keys) == len(set(keys))
        for number, key, _ in chain.from_iterable(wave):
            assert last.get(key, -1) < number
            last[key] = number


def test_different_documents_share_calls() -> None:
    """Twenty-five documents take three calls of one wave."""
    things = [(str(number), 1) for number in range(25)]
    assert [[len(call) for call in wave] for wave in packed(things)] == [[10, 10, 5]]
