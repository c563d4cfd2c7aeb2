"""A message or a claim that does not fit into the function's memory is parked without decoding. Any other is forwarded."""

import json
import os
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lambda_forwarder.app import FUNCTION_MEMORY
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryClaims, MemoryParking
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Claims, Published, TimeLeft
from lambda_forwarder.publishing.limits import fitting
from tailrace.change import Change
from tailrace.mappers.data_changes import data_changed
from tailrace.wire import bounds
from tailrace.wire.change import Claim
from tailrace.wire.message import DECODED_LIMIT, MEMORY, encode_change, pack
from tests.hostile.memory_group import MB, run_within, unavailable
from tests.lambda_forwarder.memory.costly import KINDS, VALUES, change_with, claimed
from tests.lambda_forwarder.values import delivery, forever

pytestmark = pytest.mark.heavy

FUNCTION = 512 * MB
WHY_NOT = unavailable()
SMALL = 200_000  # bytes
AWS = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
AROUND = 1_500_000  # bytes, for everything that does not grow with the change


class DiscardingPublisher:
    """Accepts every event and keeps none. The data of a large event is stored in the bucket."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        _ = [fitting(entry, self._claims, time_left) for entry in entries]
        return Published()


class DiscardingBucket(MemoryClaims):
    """Discards stored objects."""

    def store(self, key: str, content: bytes) -> Claim:
        return Claim(bucket=self.bucket, key=key, bytes=len(content), sha256="")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_memory_of_a_change_stays_within_its_estimate(value: Any, kind: Any) -> None:
    """From the bucket to the bus, with the largest event: the document and a patch, both stored as too large."""
    content = change_with(kind, value(SMALL))
    claims, parking = DiscardingBucket(objects={"1": content}), MemoryParking()
    through = Forwarder(
        mappers={"payments": (data_changed,)},
        publisher=DiscardingPublisher(claims),
        parking=parking,
        claims=claims,
    )
    text = pack(stream="payments", generation=1, lane=17, changes=[encode_change(claimed(kind, content))])
    through.forward([delivery(text)], forever)  # Objects that are created once are not measured.
    tracemalloc.start()
    try:
        assert through.forward([delivery(text)], forever) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert parking.parked == {}
    assert peak <= bounds.memory(content) + AROUND


def forwarded(folder: Path, change: bytes, content: bytes = b"") -> dict[str, Any]:
    """Return the result of a function of 512 MB that gets a message with this change, an ordinary change, and this object."""
    (folder / "objects").mkdir()
    (folder / "objects" / "1").write_bytes(content)
    text = pack(stream="payments", generation=1, lane=17, changes=[change])
    (folder / "records").write_text(f"{text}\n", "utf-8")
    command = [
        sys.executable,
        "-P",
        "-m",
        "tests.lambda_forwarder.memory.function",
        str(folder / "records"),
        str(folder / "objects"),
    ]
    ended = run_within(FUNCTION, command, {**os.environ, **AWS, FUNCTION_MEMORY: "512", "PYTHONPATH": os.getcwd()})
    assert (ended.returncode, ended.killed) == (0, False), ended.output[-2_000:]
    became: dict[str, Any] = json.loads(ended.output)
    return became


def limiting(kind: Change, value: str, share: float) -> bytes:
    """Return a change with this value that has this share of what a claim may have."""
    sample = change_with(kind, VALUES[value](1_000_000))
    times = min(MEMORY / bounds.memory(sample), DECODED_LIMIT / len(sample))
    return change_with(kind, VALUES[value](int(1_000_000 * share * times)))


CLAIMS = [
    ("insert", "ASCII and one emoji"),
    ("insert", "many fields of text"),
    ("insert", "fractions"),
    ("insert", "objects of fields of their own"),
    ("replace", "lists of one"),
    ("update of another field", "empty lists"),
]
"""Those whose peak is nearest to what is told."""


@pytest.mark.skipif(WHY_NOT != "", reason=WHY_NOT)
@pytest.mark.parametrize(("kind", "value"), CLAIMS)
def test_largest_claim_is_forwarded_by_a_function_of_512_mb(tmp_path: Path, kind: str, value: str) -> None:
    """As a process in a memory cgroup, with boto3's clients."""
    content = limiting(KINDS[kind], value, 0.99)
    became = forwarded(tmp_path, encode_change(claimed(KINDS[kind], content)), content)
    assert became == {"events": 1, "parked": []}


@pytest.mark.skipif(WHY_NOT != "", reason=WHY_NOT)
@pytest.mark.parametrize("value", ["MinKeys", "emoji", "many fields"])
def test_claim_above_the_memory_limit_is_parked_unread(tmp_path: Path, value: str) -> None:
    """The reason has the memory and the remedy."""
    content = limiting(KINDS["insert"], value, 1.02)
    became = forwarded(tmp_path, encode_change(claimed(KINDS["insert"], content)), content)
    assert became["events"] == 0
    [reason] = became["parked"]
    assert "more than the 402 MiB of memory" in reason
    assert "[forwarder] memory" in reason


@pytest.mark.skipif(WHY_NOT != "", reason=WHY_NOT)
@pytest.mark.parametrize(("characters", "parked"), [("x", 0), ("x😀", 1)], ids=["ASCII", "with an emoji"])
def test_message_that_unpacks_to_64_mib_is_forwarded_or_parked(tmp_path: Path, characters: str, parked: int) -> None:
    """60 kB in the queue can contain that much."""
    text = f'"{"x" * 66_000_000}{characters}"'.encode()
    became = forwarded(tmp_path, change_with(KINDS["insert"], text))
    assert (became["events"], len(became["parked"])) == (1 - parked, parked)
