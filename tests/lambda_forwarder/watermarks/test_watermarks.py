"""The guarantees of every store of watermarks."""

import threading
from uuid import uuid4

import pytest

from lambda_forwarder.aws.table import Table
from lambda_forwarder.in_memory import MemoryWatermarks
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import Watermarks
from lambda_forwarder.watermarks.dynamodb import DynamodbWatermarks
from tailrace.dev.aws import Aws
from tests.lambda_forwarder.values import forever

LANE = "payments.17"


def mark(generation: int, sequence: int) -> Watermark:
    return Watermark(generation=generation, sequence=sequence, cluster_time=f"1795330680.{sequence % 1000}")


class WatermarksConformance:
    """A subclass has the fixture ``watermarks``."""

    def test_new_lane_has_no_watermark(self, watermarks: Watermarks) -> None:
        assert watermarks.read([LANE], forever) == {}
        assert watermarks.read([], forever) == {}

    def test_watermark_is_read_as_written(self, watermarks: Watermarks) -> None:
        """For each lane that is asked for."""
        largest = Watermark(generation=2**63 - 1, sequence=2**63 - 1, cluster_time="4294967295.4294967295")
        watermarks.advance(LANE, mark(1, 7))
        watermarks.advance("payments.18", largest)
        watermarks.advance("refunds.17", mark(1, 1))
        assert watermarks.read([LANE, "payments.18", "payments.19"], forever) == {LANE: mark(1, 7), "payments.18": largest}

    @pytest.mark.parametrize("late", [(1, 99), (2, 9), (2, 10), (0, 0)])
    def test_watermark_never_goes_back(self, watermarks: Watermarks, late: tuple[int, int]) -> None:
        """An older generation, an older sequence and a repeat change nothing."""
        watermarks.advance(LANE, mark(2, 10))
        watermarks.advance(LANE, Watermark(generation=late[0], sequence=late[1], cluster_time="9.9"))
        assert watermarks.read([LANE], forever) == {LANE: mark(2, 10)}

    @pytest.mark.parametrize("further", [(2, 11), (3, 1)])
    def test_watermark_advances(self, watermarks: Watermarks, further: tuple[int, int]) -> None:
        """By a higher sequence, or by a new generation with any sequence."""
        watermarks.advance(LANE, mark(2, 10))
        watermarks.advance(LANE, mark(*further))
        assert watermarks.read([LANE], forever) == {LANE: mark(*further)}

    def test_many_lanes_are_read_at_once(self, watermarks: Watermarks) -> None:
        """More than one call of DynamoDB accepts."""
        lanes = {f"payments.{number}": mark(1, number) for number in range(130)}
        for lane, to in lanes.items():
            watermarks.advance(lane, to)
        assert watermarks.read(lanes, forever) == lanes

    def test_furthest_of_many_writers_wins(self, watermarks: Watermarks) -> None:
        """In any order."""
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
    """On the emulator, in a table like the tailer's."""

    @pytest.fixture
    def watermarks(self, aws: Aws) -> DynamodbWatermarks:
        return DynamodbWatermarks(Table(aws("dynamodb"), create_watermark_table(aws)))


def create_watermark_table(aws: Aws, key: str = "pk") -> str:
    """Create a table of this test and return its name."""
    name = f"watermarks-{uuid4().hex}"
    aws("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name
