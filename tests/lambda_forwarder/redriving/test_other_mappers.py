"""Items of other mappers, and changes that no mapper reads here, remain until a person decides."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from examples.payments.events import MAPPERS as SHIPPED
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryClaims, MemoryParking, MemoryPublisher
from lambda_forwarder.model.parked import Parked, postponed
from tailrace.change import Change
from tailrace.events import DomainEvent, Mapper, Mappers, mapper_name
from tailrace.wire.change import Namespace
from tests.lambda_forwarder.redriving.test_redriver import RedriveFixture, counts, failing_once_like
from tests.lambda_forwarder.values import body, claiming, delivery, forever, inserted, message

TABLE = "mine.events:MAPPERS"
ORDERS = Namespace(db="shop", coll="orders")


class OrderPlaced(DomainEvent, source="app.tests"):
    """An order was placed."""

    note: str = ""


def order_placed(change: Change) -> OrderPlaced | None:
    return OrderPlaced() if change.created else None


def order_placed_renamed(change: Change) -> OrderPlaced | None:
    """Do the same under another name."""
    return order_placed(change)


def map_to_nothing(change: Change) -> None:
    """Return no event."""


OURS: Mappers = {"orders": (order_placed,)}


def order_change(sequence: int = 1, name: str = "o") -> Change:
    return replace(inserted(name, sequence), ns=ORDERS)


def by_a_mapper() -> Parked:
    return _parked({"orders": (failing_once_like(order_placed),)}, order_change())


def by_an_older_version() -> Parked:
    """Without the name of the table."""
    return replace(by_a_mapper(), mappers="")


def by_the_oldest_version() -> Parked:
    return replace(by_a_mapper(), mappers="", mapper="")


def by_the_bus() -> Parked:
    """An event that was too large."""
    return _parked(OURS, order_change(), publisher=MemoryPublisher(limit=10))


def by_its_claim() -> Parked:
    gone, _ = claiming(order_change(), key="gone")
    return _parked(OURS, gone, claims=MemoryClaims())


def by_an_outage() -> Parked:
    return replace(postponed(order_change(), message(order_change()), Unavailable("the bus is away")), mappers=TABLE)


def unreadable_then() -> Parked:
    """By a forwarder that could not read the message."""
    return _parked(OURS, text=body(order_change()).replace('"version":1', '"version":99'), now=body(order_change()))


FORMS = [by_a_mapper, by_an_older_version, by_the_oldest_version, by_the_bus, by_its_claim, by_an_outage, unreadable_then]
LOST: Mapping[str, tuple[Mappers, str]] = {
    "the shipped ones": (SHIPPED, "examples.payments.events:MAPPERS"),
    "none": ({}, "empty:MAPPERS"),
    "of the same name, without the collection": (SHIPPED, TABLE),
}


def _parked(mappers: Mappers, *changes: Change, text: str = "", now: str = "", **parts: Any) -> Parked:
    parking = MemoryParking()
    given: dict[str, Any] = {"publisher": MemoryPublisher(), "parking": parking, "mappers": mappers, "table": TABLE}
    Forwarder(**(given | parts)).forward([delivery(text or body(*changes))], forever)
    [item] = parking.parked.values()
    return replace(item, body=now) if now else item


def world(mappers: Mappers, table: str = TABLE) -> RedriveFixture:
    return RedriveFixture(mappers=mappers, table=table, claims=MemoryClaims())


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("form", FORMS)
def test_parked_item_remains_without_its_mappers(form: Any, lost: str, dry_run: bool) -> None:
    """Whatever parked it and whatever other mappers there are. Nothing is removed, and the report has the reason."""
    made = world(*LOST[lost])
    made.put_parked(form())
    report = made.redrive(dry_run=dry_run)
    assert counts(report) == {"messages": 1, "left": 1}
    assert len(made.remaining) == 1
    assert made.published == []
    [left] = report.leftovers
    assert "no mapper of FORWARDER_MAPPERS=" in left.reason
    assert "shop.orders" in left.reason
    assert "--discard-unmapped" in left.reason


@pytest.mark.parametrize("form", [form for form in FORMS if form not in (by_its_claim, by_the_bus)])
def test_parked_item_is_published_with_its_mappers(form: Any) -> None:
    made = world(OURS)
    made.put_parked(form())
    assert counts(made.redrive()) == {"messages": 1, "published": 1, "late": 1}
    assert made.remaining == []


def test_parked_item_names_its_mapper_and_its_table() -> None:
    ours = mapper_name(order_placed)
    assert [(item.mapper, item.mappers) for item in (by_a_mapper(), by_the_bus())] == [(ours, TABLE), (ours, TABLE)]
    assert [(item.mapper, item.mappers) for item in (by_its_claim(), by_an_outage())] == [("", TABLE), ("", TABLE)]


@pytest.mark.parametrize("form", [by_a_mapper, by_an_older_version, by_the_bus])
def test_renamed_mapper_needs_discard_unmapped(form: Any) -> None:
    """Other mappers of its collection may return no event. With the flag they decide, and the report names what was removed."""
    for mappers, published in (
        ({"orders": (order_placed_renamed,)}, 1),
        ({"orders": (map_to_nothing,)}, 0),
        ({"orders": ()}, 0),
    ):
        made = world(mappers)
        made.put_parked(form())
        [left] = made.redrive().leftovers
        assert f"parked by the mapper {mapper_name(order_placed)}" in left.reason
        report = made.redrive(discard_unmapped=True)
        assert (report.published, report.left, made.remaining) == (published, 0, [])
        assert [one.reason[:29] for one in report.removals] == ([] if published else ["its mappers produced no event"])


def test_item_that_names_only_a_table_waits_for_that_table() -> None:
    """An outage parks a change before any mapper is called. Other mappers of its collection would return other events."""
    made = world({"orders": (map_to_nothing,)}, "others:MAPPERS")
    made.put_parked(by_an_outage())
    [left] = made.redrive().leftovers
    assert "parked where FORWARDER_MAPPERS was mine.events:MAPPERS; here it is others:MAPPERS" in left.reason


@pytest.mark.parametrize("form", [form for form in FORMS if form is not by_its_claim])
def test_discarded_item_is_named_with_the_reason(form: Any) -> None:
    """First in a dry run."""
    made = world({})
    made.put_parked(form())
    for dry_run in (True, False):
        report = made.redrive(dry_run=dry_run, discard_unmapped=True)
        assert counts(report) == {"messages": 1, "unpublished": 1}
        [removed] = report.removals
        assert (removed.document, removed.sequence) == ("shop.orders/o", 1)
        assert removed.reason.startswith(
            "discarded as requested: no mapper of FORWARDER_MAPPERS=mine.events:MAPPERS reads shop.orders"
        )
    assert made.remaining == []


@pytest.mark.parametrize("others", [(), (inserted("a", 2),)], ids=["alone", "among others"])
def test_dead_letter_with_an_unmapped_change_remains_whole(others: Sequence[Change]) -> None:
    """Nothing of its documents is published before it. Other documents continue."""
    made = world(SHIPPED)
    made.add_dead_letter(order_change(1), *others)
    made.add_dead_letter(
        *(replace(change, sequence=change.sequence + 5, id=f"{change.id}5") for change in others), inserted("b", 9)
    )
    report = made.redrive()
    assert report.left == 1 + bool(others)
    assert "no mapper" in report.leftovers[0].reason
    assert [name for name, _, _ in made.published] == ["b"]
    assert made.parking.parked == {}
    assert counts(made.redrive(discard_unmapped=True))["unpublished"] == 1
    assert made.remaining == []


def test_collection_mapped_to_nothing_is_removed() -> None:
    """The report names its dead letter, which gave no event."""
    made = world({"orders": ()})
    made.add_dead_letter(order_change(1))
    report = made.redrive()
    assert counts(report) == {"messages": 1, "unpublished": 1}
    assert [one.reason for one in report.removals] == ["its mappers produced no event"]


def test_item_whose_mapper_returns_no_event_is_removed_and_named() -> None:
    """A corrected mapper may ignore the change."""
    made = world({"orders": (map_to_nothing,)})
    made.put_parked(replace(by_a_mapper(), mapper=mapper_name(map_to_nothing)))
    report = made.redrive()
    assert [(one.queue, one.document, one.reason) for one in report.removals] == [
        ("parking", "", "its mappers produced no event")
    ]


def test_unmapped_items_are_logged_once_per_reason(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody sees the report of a scheduled run. At most ten lines."""
    made = world({})
    for number in range(40):
        made.add_dead_letter(replace(order_change(number + 1), ns=Namespace(db="shop", coll=f"c{number % 20}")), lane=number)
    caplog.set_level(logging.WARNING)
    assert counts(made.redrive()) == {"messages": 40, "left": 40}
    assert len([line for line in caplog.records if getattr(line, "action", "") == "left_to_its_mappers"]) == 10


def test_report_names_the_first_and_counts_the_rest() -> None:
    """Of remaining and of removed messages."""
    made = world({"orders": ()})
    for number in range(150):
        made.add_dead_letter(order_change(number + 1), lane=number)
        made.add_dead_letter(inserted(f"x{number}", number), lane=1000 + number)
    report = made.redrive()
    assert (report.left, len(report.leftovers), report.unpublished, len(report.removals)) == (150, 100, 150, 100)


def by_the_bus_of_the_oldest_version() -> Parked:
    """Before mappers were named."""
    return replace(by_the_bus(), mapper="", mappers="")


def by_an_outage_of_the_oldest_version() -> Parked:
    return replace(by_an_outage(), mappers="")


def by_a_mapper_of_the_same_name() -> Parked:
    """For example of two objects of one class."""
    return replace(by_a_mapper(), mapper=mapper_name(map_to_nothing))


@pytest.mark.parametrize(
    "mappers", [{"orders": (map_to_nothing,)}, {"orders": (map_to_nothing, map_to_nothing)}], ids=["one", "two"]
)
@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    "form",
    [
        by_a_mapper_of_the_same_name,
        by_the_oldest_version,
        by_the_bus_of_the_oldest_version,
        by_an_outage_of_the_oldest_version,
        by_an_outage,
    ],
)
def test_item_of_uncertain_mappers_without_an_event_remains(form: Any, dry_run: bool, mappers: Mappers) -> None:
    """Although they read its collection. It is removed when a person says so."""
    made = world(mappers, "others:MAPPERS")
    made.put_parked(form())
    report = made.redrive(dry_run=dry_run)
    assert counts(report) == {"messages": 1, "left": 1}
    assert len(made.remaining) == 1
    assert "--discard-unmapped" in report.leftovers[0].reason
    assert counts(made.redrive(discard_unmapped=True)) == {"messages": 1, "unpublished": 1}
    assert made.remaining == []


@pytest.mark.parametrize("form", [by_an_older_version, unreadable_then])
def test_item_of_the_right_mappers_without_an_event_is_removed(form: Any) -> None:
    """Its mapper has the same name, or no mapper had been called."""
    made = world({"orders": (map_to_nothing,)}, "others:MAPPERS")
    item = form()
    made.put_parked(replace(item, mapper=mapper_name(map_to_nothing)) if item.mapper else item)
    assert counts(made.redrive()) == {"messages": 1, "unpublished": 1}


class CallableMapper:
    """A mapper that is an object."""

    def __call__(self, change: Change) -> None:
        """Return no event."""


@pytest.mark.parametrize(
    ("mapper", "name"),
    [
        (order_placed, "order_placed"),
        (partial(order_placed), "order_placed"),
        (partial(partial(order_placed)), "order_placed"),
        (failing_once_like(order_placed), "order_placed"),
        (CallableMapper(), "CallableMapper"),
        (CallableMapper().__call__, "CallableMapper.__call__"),
        (lambda change: None, "<lambda>"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mapper_has_the_same_name_in_every_process(mapper: Mapper, name: str) -> None:
    """A parked item is redriven by another process."""
    assert mapper_name(mapper) == f"{__name__}.{name}"


def test_hostile_item_cannot_make_a_report_long() -> None:
    """Its names are truncated."""
    made = world(SHIPPED)
    made.put_parked(replace(by_a_mapper(), mapper="m" * 100_000, mappers="\x1b[31m" * 1000))
    [left] = made.redrive().leftovers
    assert len(left.reason) <= 2_000
    assert left.reason.isprintable()
