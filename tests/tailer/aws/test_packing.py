"""Packing keeps every change, their order, and every limit of SQS."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailer.aws.packing import ENTRIES_PER_CALL, JSON_PER_MESSAGE, Packer, calls
from tailer.errors import Undeliverable
from tailer.poison import OnPoison
from tailrace.message import unpack
from tailrace.wire.message import CHANGES_LIMIT, MESSAGE_LIMIT
from tests.samples.changes import a_change

PACKER = Packer(stream="payments", generation=1)
SIZES = st.lists(st.integers(0, 3000), min_size=1, max_size=30)


def incompressible_text(size: int, seed: int) -> str:
    """The worst case for a limit."""
    return random.Random(seed).randbytes(size // 2).hex()


@given(SIZES, st.integers(1, 300))
def test_packing_keeps_order_and_limits(sizes: list[int], scale: int) -> None:
    changes = [a_change(n, full_document={"text": incompressible_text(size * scale // 10, n)}) for n, size in enumerate(sizes)]
    messages = list(PACKER.messages(17, changes))
    assert [change for message in messages for change in unpack(message.body).changes] == changes
    assert all(len(message.body.encode()) == message.size <= MESSAGE_LIMIT for message in messages)
    packed = list(calls(messages))
    assert [message for call in packed for message in call] == messages
    assert all(len(call) <= ENTRIES_PER_CALL and sum(message.size for message in call) <= MESSAGE_LIMIT for call in packed)


def test_small_changes_of_a_lane_fill_whole_messages() -> None:
    messages = list(PACKER.messages(17, [a_change(number) for number in range(1000)]))
    assert [message.changes for message in messages] == [CHANGES_LIMIT, CHANGES_LIMIT]


def test_incompressible_changes_fit() -> None:
    """The limit for JSON leaves room for base64."""
    changes = [a_change(n, full_document={"text": incompressible_text(JSON_PER_MESSAGE // 2 - 1000, n)}) for n in range(4)]
    assert [message.changes for message in PACKER.messages(17, changes)] == [2, 2]


def test_change_that_cannot_fit_is_named() -> None:
    """Nothing is skipped."""
    huge = a_change(2, document_key={"_id": "huge"}, full_document={"text": incompressible_text(4 * MESSAGE_LIMIT, 1)})
    stopping = Packer(stream="payments", generation=1, on_poison=OnPoison(stream="payments", park=False))
    with pytest.raises(Undeliverable, match=r"insert of payments\.payments/huge .*does not fit"):
        list(stopping.messages(17, [a_change(1), huge]))


def test_no_lane_is_twice_in_a_call() -> None:
    """So the ids of a call are all different."""
    heads = [next(PACKER.messages(lane, [a_change(lane)])) for lane in range(25)]
    assert [len(call) for call in calls(heads)] == [10, 10, 5]
    assert all(len({message.group_id for message in call}) == len(call) for call in calls(heads))
