"""A change that the tailer could not read is parked in order, with a remedy, and becomes no event."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import bson
import pytest

from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryParking, MemoryPublisher, MemoryWatermarks
from lambda_forwarder.parking import poison
from lambda_forwarder.trial import tried
from tailrace.change import Change
from tailrace.events import DomainEvent
from tailrace.wire.change import Claim
from tests.lambda_forwarder.redriving.test_redriver import RedriveFixture, counts
from tests.lambda_forwarder.values import RAW, body, cancelled, delivery, forever, inserted, message, stub


class StubWasMapped(DomainEvent, source="app.tests"):
    """A mapper received a change."""


def map_readable(change: Change) -> StubWasMapped:
    assert change.poison is None, "a mapper was shown a stub"
    return StubWasMapped()


def forwarder(**parts: Any) -> Forwarder:
    return Forwarder(
        **{
            "mappers": {"payments": (map_readable,)},
            "publisher": MemoryPublisher(),
            "parking": MemoryParking(),
            "table": "t:T",
            **parts,
        }
    )


def test_stub_is_parked_in_order_and_other_changes_are_published() -> None:
    """Its reason is the tailer's, and its remedy names the raw event. The watermark moves past it, and a metric counts it."""
    publisher, parking, marks = MemoryPublisher(), MemoryParking(), MemoryWatermarks()
    through = forwarder(publisher=publisher, parking=parking, watermarks=marks)
    text = body(inserted("a", 1), stub("b", 2), cancelled("b", 3))
    assert through.forward([delivery(text)], forever) == []
    assert [entry.change.sequence for entry in publisher.entries] == [1, 3]
    [item] = parking.parked.values()
    assert (item.sequence, item.document, item.reason) == (2, "payments.payments/b", "binary of a wrong length")
    assert "aws s3 cp s3://claims/payments/raw/1.bson event.bson" in item.remedy
    assert marks.marks["payments.17"].sequence == 3
    assert through.metrics.take()["payments"]["ChangesParked"] == (1,)


@pytest.mark.parametrize("ns", [{}, {"mappers": {}}, {"mappers": {"payments": ()}}], ids=["mapped", "unknown", "on purpose"])
def test_stub_is_parked_whether_or_not_its_collection_is_mapped(ns: Any) -> None:
    parking = MemoryParking()
    assert forwarder(parking=parking, **ns).forward([delivery(body(stub()))], forever) == []
    assert len(parking.parked) == 1


def test_stub_blocks_its_group_when_poison_blocks(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the setting that parks it instead."""
    publisher, parking = MemoryPublisher(), MemoryParking()
    through = forwarder(publisher=publisher, parking=parking, block=True)
    records = [delivery(body(inserted("a", 1), stub("b", 2), inserted("c", 3)), message_id="m")]
    assert through.forward(records, forever) == ["m"]
    assert [entry.change.sequence for entry in publisher.entries] == [1]
    assert not parking.parked
    assert "FORWARDER_ON_POISON is park" in caplog.text


def test_remedy_quotes_a_hostile_claim_for_the_shell() -> None:
    """Everyone who may send to the queue can write the claim, and a person copies the command."""
    parking = MemoryParking()
    raw = Claim(bucket="b", key="k'; rm -rf ~ #\n$(reboot)\x1b[2J", bytes=1, sha256="")
    forwarder(parking=parking).forward([delivery(body(stub(raw=raw)))], forever)
    [item] = parking.parked.values()
    assert item.remedy.isprintable()
    words = shlex.split(item.remedy.partition("aws ")[2])
    assert words[:2] == ["s3", "cp"]
    assert words[3:5] == ["event.bson", "&&"]


def test_command_of_the_remedy_prints_a_raw_event(tmp_path: Path) -> None:
    """Also if a value in it is invalid BSON."""
    legal = bson.encode({"operationType": "insert", "fullDocument": {"b": bson.Binary(b"abcd", 2)}})
    (tmp_path / "event.bson").write_bytes(legal.replace(b"\x04\0\0\0abcd", b"\x09\0\0\0abcd"))
    _, *options = shlex.split(poison._remedy(RAW).partition("&& ")[2].partition(". Fix")[0])
    done = subprocess.run([sys.executable, *options], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "'operationType': 'insert'" in done.stdout


def test_remedy_without_a_claim_names_the_database() -> None:
    parking = MemoryParking()
    forwarder(parking=parking).forward([delivery(body(stub(raw=None)))], forever)
    [item] = parking.parked.values()
    assert "s3://" not in item.remedy
    assert "in the database" in item.remedy


def test_trying_a_stub_prints_its_reason() -> None:
    """No mapper receives it."""
    [trial] = tried(message(stub()), {"payments": (map_readable,)})
    assert (trial.entries, [item.reason for item in trial.parked]) == ((), ["binary of a wrong length"])


def parked_stub() -> RedriveFixture:
    world = RedriveFixture(mappers={"payments": (map_readable,)}, table="t:T")
    parking = MemoryParking()
    forwarder(parking=parking).forward([delivery(body(stub("a", 1)))], forever)
    for item in parking.parked.values():
        world.put_parked(item)
    return world


def test_redrive_leaves_a_parked_stub_and_reports_it() -> None:
    """Later changes of its document are published."""
    world = parked_stub()
    world.add_dead_letter(inserted("a", 2))
    report = world.redrive()
    assert counts(report) == {"messages": 2, "published": 1, "left": 1}
    [left] = report.leftovers
    assert (left.document, left.sequence) == ("payments.payments/a", 1)
    assert "binary of a wrong length" in left.reason
    assert "--discard-stubs" in left.reason


@pytest.mark.parametrize("other", [{"discard_unmapped": True}, {"dry_run": True}, {}], ids=str)
def test_only_discard_stubs_removes_a_stub(other: Any) -> None:
    """The report names the removed stubs, and in a dry run those that would be removed."""
    world = parked_stub()
    assert counts(world.redrive(**other)) == {"messages": 1, "left": 1}
    assert len(world.remaining) == 1
    world = parked_stub()
    report = world.redrive(discard_stubs=True, **other)
    assert counts(report) == {"messages": 1, "unpublished": 1}
    [removed] = report.removals
    assert removed.reason == "discarded as requested: binary of a wrong length"
    assert len(world.remaining) == ("dry_run" in other)


def test_stub_in_a_dead_letter_is_parked_or_discarded() -> None:
    """The rest of its message is published."""
    cases: list[tuple[bool, dict[str, Any], dict[str, int]]] = [
        (False, {}, {"messages": 1, "published": 1, "parked": 1, "unpublished": 1}),
        (False, {"discard_stubs": True}, {"messages": 1, "published": 1, "unpublished": 1}),
        (True, {"discard_stubs": True}, {"messages": 1, "published": 1, "unpublished": 1}),
    ]
    for block, options, expected in cases:
        world = RedriveFixture(mappers={"payments": (map_readable,)}, block=block)
        world.add_dead_letter(stub("a", 1), inserted("b", 2))
        assert counts(world.redrive(**options)) == expected
        assert world.remaining == []
