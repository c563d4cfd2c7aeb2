"""What every store of watermarks promises, asked of each of them."""

import threading
from uuid import uuid4

import pytest

from devstack.aws import Aws
from lambda_forwarder.in_memory import MemoryWatermarks
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import Watermarks
from lambda_forwarder.watermarks.dynamodb import DynamodbWatermarks
from tests.lambda_forwarder.values import forever

LANE = "payments.17"


def mark(generation: int, sequence: int) -> Watermark:
    return Watermark(generation=generation, sequence=sequence, cluster_time=f"1795330680.{sequence % 1000}")


class WatermarksConformance:
    """A subclass gives ``watermarks``."""

    def test_a_new_lane_has_none(self, watermarks: Watermarks) -> None:
        """Nothing is not an error."""
        assert watermarks.read([LANE], forever) == {}
        assert watermarks.read([], forever) == {}

    def test_what_was_reached_is_read_again(self, watermarks: Watermarks) -> None:
        """Every lane by itself, and only those that were asked for."""
        largest = Watermark(generation=2**63 - 1, sequence=2**63 - 1, cluster_time="4294967295.4294967295")
        watermarks.advance(LANE, mark(1, 7))
        watermarks.advance("payments.18", largest)
        watermarks.advance("refunds.17", mark(1, 1))
        assert watermarks.read([LANE, "payments.18", "payments.19"], forever) == {LANE: mark(1, 7), "payments.18": largest}

    @pytest.mark.parametrize("late", [(1, 99), (2, 9), (2, 10), (0, 0)])
    def test_it_never_goes_back(self, watermarks: Watermarks, late: tuple[int, int]) -> None:
        """A late writer is no error and changes nothing: an older generation, an older sequence, the same again."""
        watermarks.advance(LANE, mark(2, 10))
        watermarks.advance(LANE, Watermark(generation=late[0], sequence=late[1], cluster_time="9.9"))
        assert watermarks.read([LANE], forever) == {LANE: mark(2, 10)}

    @pytest.mark.parametrize("further", [(2, 11), (3, 1)])
    def test_it_goes_forward(self, watermarks: Watermarks, further: tuple[int, int]) -> None:
        """A higher sequence, or a new generation whatever its sequence."""
        watermarks.advance(LANE, mark(2, 10))
        watermarks.advance(LANE, mark(*further))
        assert watermarks.read([LANE], forever) == {LANE: mark(*further)}

    def test_many_lanes_are_read_at_once(self, watermarks: Watermarks) -> None:
        """More than any one call of a database takes."""
        lanes = {f"payments.{number}": mark(1, number) for number in range(130)}
        for lane, to in lanes.items():
            watermarks.advance(lane, to)
        assert watermarks.read(lanes, forever) == lanes

    def test_of_many_writers_the_furthest_stays(self, watermarks: Watermarks) -> None:
        """Whatever the order in which they come."""
        marks = [mark(generation, sequence) for sequence in (5, 1, 4) for generation in (2, 1, 3)]
        writers = [threading.Thread(target=watermarks.advance, args=(LANE, to)) for to in marks]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert watermarks.read([LANE], forever) == {LANE: mark(3, 5)}


class TestMemoryWatermarks(WatermarksConformance):
    @pytest.fixture
    def watermarks(self) -> MemoryWatermarks:
        return MemoryWatermarks()


class TestDynamodbWatermarks(WatermarksConformance):
    """On the emulator, in a table of the form of the tailer's."""

    @pytest.fixture
    def watermarks(self, aws: Aws) -> DynamodbWatermarks:
        return DynamodbWatermarks(aws("dynamodb"), a_table(aws))


def a_table(aws: Aws, key: str = "pk") -> str:
    """A table of this test's own; its name."""
    name = f"watermarks-{uuid4().hex}"
    aws("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name
