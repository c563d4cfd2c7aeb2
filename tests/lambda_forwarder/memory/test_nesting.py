"""A change at the nesting limit is handled everywhere without a RecursionError."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryParking, MemoryPublisher
from lambda_forwarder.model.entry import entry
from lambda_forwarder.publishing.limits import rejection_reason
from lambda_forwarder.trial import as_sample, as_text, read, tried
from tailrace.change import Change
from tailrace.events import DomainEvent, Mapper
from tailrace.mappers.data_changes import data_changed
from tailrace.message import read_change
from tailrace.questions.images import Uncertain
from tailrace.wire.bounds import NESTING_LIMIT, nesting
from tailrace.wire.change import UpdateDescription
from tailrace.wire.message import encode_change
from tests.lambda_forwarder.redriving.test_redriver import RedriveFixture
from tests.lambda_forwarder.values import body, cancelled, delivery, forever, inserted, message

SHAPES = {"arrays": ("[", "]"), "objects": ('{"a":', "}"), "both": ('[{"a":', "}]")}


def deep_value(shape: str, leaf: str, above: int) -> Any:
    """Return a value that reaches the nesting limit this many levels below the change."""
    opening, closing = SHAPES[shape]
    times = (NESTING_LIMIT - above) // (1 + (shape == "both"))
    return json.loads(opening * times + leaf + closing * times)


def changes(shape: str) -> list[Change]:
    """Return an insert, a replace and updates. The last update sets the deep value."""
    before, after = ({"_id": "a", "status": "x", "value": deep_value(shape, leaf, 2)} for leaf in ("1", "12345678901234567890"))
    update = replace(cancelled("a", 3, looked_up=False), full_document_before_change=before)
    described = UpdateDescription(updated_fields={"value": deep_value(shape, "2", 3)})
    return [
        replace(inserted("a", 1), full_document=after),
        replace(inserted("a", 2), operation_type="replace", full_document=after, full_document_before_change=before),
        update,
        replace(update, sequence=4, id="4", update_description=described),
        replace(update, sequence=5, id="5", full_document=after, post_image=True),
    ]


class DeepValueFound(DomainEvent, source="app.tests", about="value"):
    """A deep value was found."""

    value: Any


def ask_everything(change: Change) -> DeepValueFound:
    """Ask every question about the change."""
    for ask in (change.became, change.changed):
        for path, value in (("value", deep_value("both", "1", 2)), ("value.a", None), ("status", "x")):
            try:
                ask(path, value, assume_new=True) if ask == change.became else change.changed(path, assume_new=True)
            except Uncertain:
                continue
    return DeepValueFound(value=(change.full_document or change.full_document_before_change or {})["value"])


@pytest.mark.parametrize("mapper", [data_changed, ask_everything], ids=["data_changed", "asking"])
@pytest.mark.parametrize("shape", SHAPES)
def test_change_at_the_nesting_limit_is_forwarded(shape: str, mapper: Mapper) -> None:
    """By every question, an event about it, its encoding, and a bus that checks its numbers."""
    told = changes(shape)
    assert all(nesting(encode_change(change)) <= NESTING_LIMIT for change in told)
    publisher, parking = MemoryPublisher(), MemoryParking()
    through = Forwarder(mappers={"payments": (mapper,)}, publisher=publisher, parking=parking)
    assert through.forward([delivery(body(*told))], forever) == []
    assert parking.parked == {}
    assert len(publisher.entries) == len(told)
    for one in publisher.entries:
        assert "deep" not in rejection_reason(one)
        as_sample(one)


@pytest.mark.parametrize("shape", SHAPES)
def test_change_at_the_nesting_limit_is_parked_tried_and_redriven(shape: str) -> None:
    told = changes(shape)
    world = RedriveFixture(mappers={"payments": (data_changed,)})
    world.park(*told)
    report = world.redrive()
    assert (report.published, report.left) == (len(told), 0)
    for change in told:
        [again] = read(encode_change(change).decode())
        [trial] = tried(again, {"payments": (data_changed,)})
        assert list(as_text(trial))
        assert entry(ask_everything(change), change=change, message=message(change)).document
        assert read_change(encode_change(change)) == change
