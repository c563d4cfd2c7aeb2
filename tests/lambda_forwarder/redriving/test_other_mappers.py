"""What other mappers parked, and what no mapper here reads: it stays until a person says otherwise."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryClaims, MemoryParking, MemoryPublisher
from lambda_forwarder.mappings import MAPPERS as SHIPPED
from lambda_forwarder.model.parked import Parked, postponed
from tailrace.change import Change
from tailrace.events import DomainEvent, Mapper, Mappers, mapper_name
from tailrace.wire.change import Namespace
from tests.lambda_forwarder.redriving.test_redriver import World, broken, counts
from tests.lambda_forwarder.values import body, claiming, delivery, forever, inserted, message

TABLE = "mine.events:MAPPERS"
ORDERS = Namespace(db="shop", coll="orders")


class OrderPlaced(DomainEvent, source="app.tests"):
    """Somebody ordered something."""

    note: str = ""


def order_placed(change: Change) -> OrderPlaced | None:
    return OrderPlaced() if change.created else None


def order_made(change: Change) -> OrderPlaced | None:
    """The same under another name."""
    return order_placed(change)


def silent(change: Change) -> None:
    """Tells nothing."""


OURS: Mappers = {"orders": (order_placed,)}


def order(sequence: int = 1, name: str = "o") -> Change:
    return replace(inserted(name, sequence), ns=ORDERS)


def by_a_mapper() -> Parked:
    return _parked({"orders": (broken(order_placed),)}, order())


def before_this_version() -> Parked:
    """Without the table's name."""
    return replace(by_a_mapper(), mappers="")


def before_any_names() -> Parked:
    return replace(by_a_mapper(), mappers="", mapper="")


def by_the_bus() -> Parked:
    """An event that was too large."""
    return _parked(OURS, order(), publisher=MemoryPublisher(limit=10))


def by_its_claim() -> Parked:
    gone, _ = claiming(order(), key="gone")
    return _parked(OURS, gone, claims=MemoryClaims())


def by_an_outage() -> Parked:
    return replace(postponed(order(), message(order()), Unavailable("the bus is away")), mappers=TABLE)


def as_it_came() -> Parked:
    """By a forwarder that could not read it."""
    return _parked(OURS, text=body(order()).replace('"version":1', '"version":99'), now=body(order()))


FORMS = [by_a_mapper, before_this_version, before_any_names, by_the_bus, by_its_claim, by_an_outage, as_it_came]
LOST: Mapping[str, tuple[Mappers, str]] = {
    "the shipped ones": (SHIPPED, "lambda_forwarder.mappings:MAPPERS"),
    "none": ({}, "empty:MAPPERS"),
    "of the same name, without the collection": (SHIPPED, TABLE),
}


def _parked(mappers: Mappers, *changes: Change, text: str = "", now: str = "", **parts: Any) -> Parked:
    parking = MemoryParking()
    given: dict[str, Any] = {"publisher": MemoryPublisher(), "parking": parking, "mappers": mappers, "table": TABLE}
    Forwarder(**(given | parts)).forward([delivery(text or body(*changes))], forever)
    [item] = parking.parked.values()
    return replace(item, body=now) if now else item


def world(mappers: Mappers, table: str = TABLE) -> World:
    return World(mappers=mappers, table=table, claims=MemoryClaims())


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("form", FORMS)
def test_what_was_parked_stays_where_its_mappers_are_not(form: Any, lost: str, dry_run: bool) -> None:
    """However it came to be parked, and whatever mappers there are instead: nothing is removed, and the report says why."""
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
def test_with_its_mappers_it_is_published(form: Any) -> None:
    """And leaves the queue."""
    made = world(OURS)
    made.put_parked(form())
    assert counts(made.redrive()) == {"messages": 1, "published": 1, "late": 1}
    assert made.remaining == []


def test_a_parked_item_names_its_mapper_and_its_table() -> None:
    """Of the forms that a mapper had to do with."""
    ours = mapper_name(order_placed)
    assert [(item.mapper, item.mappers) for item in (by_a_mapper(), by_the_bus())] == [(ours, TABLE), (ours, TABLE)]
    assert [(item.mapper, item.mappers) for item in (by_its_claim(), by_an_outage())] == [("", TABLE), ("", TABLE)]


@pytest.mark.parametrize("form", [by_a_mapper, before_this_version, by_the_bus])
def test_a_mapper_that_has_another_name_is_not_its_mapper(form: Any) -> None:
    """Others of its collection may tell nothing of it. Said to be on purpose, they judge it, and the report says what went."""
    for mappers, published in (({"orders": (order_made,)}, 1), ({"orders": (silent,)}, 0), ({"orders": ()}, 0)):
        made = world(mappers)
        made.put_parked(form())
        [left] = made.redrive().leftovers
        assert f"parked by the mapper {mapper_name(order_placed)}" in left.reason
        report = made.redrive(discard_unmapped=True)
        assert (report.published, report.left, made.remaining) == (published, 0, [])
        assert [one.reason[:29] for one in report.removals] == ([] if published else ["its mappers produced no event"])


def test_what_names_a_table_only_waits_for_that_table() -> None:
    """An outage parks before any mapper is asked: others of the same collection would tell other events."""
    made = world({"orders": (silent,)}, "others:MAPPERS")
    made.put_parked(by_an_outage())
    [left] = made.redrive().leftovers
    assert "parked where FORWARDER_MAPPERS was mine.events:MAPPERS; here it is others:MAPPERS" in left.reason


@pytest.mark.parametrize("form", [form for form in FORMS if form is not by_its_claim])
def test_what_is_discarded_on_purpose_is_named_with_the_reason(form: Any) -> None:
    """In a dry run first."""
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
def test_a_dead_letter_that_no_mapper_reads_stays_whole(others: Sequence[Change]) -> None:
    """Nothing of it is published, and nothing of its documents overtakes it; other documents go on."""
    made = world(SHIPPED)
    made.bury(order(1), *others)
    made.bury(*(replace(change, sequence=change.sequence + 5, id=f"{change.id}5") for change in others), inserted("b", 9))
    report = made.redrive()
    assert report.left == 1 + bool(others)
    assert "no mapper" in report.leftovers[0].reason
    assert [name for name, _, _ in made.published] == ["b"]
    assert made.parking.parked == {}
    assert counts(made.redrive(discard_unmapped=True))["unpublished"] == 1
    assert made.remaining == []


def test_a_collection_without_mappers_on_purpose_is_known() -> None:
    """An entry without mappers says so, and a dead letter of it goes: named, since it gave no event."""
    made = world({"orders": ()})
    made.bury(order(1))
    report = made.redrive()
    assert counts(report) == {"messages": 1, "unpublished": 1}
    assert [one.reason for one in report.removals] == ["its mappers produced no event"]


def test_what_its_mappers_tell_nothing_of_is_removed_and_named() -> None:
    """A mended mapper may say that the change means nothing."""
    made = world({"orders": (silent,)})
    made.put_parked(replace(by_a_mapper(), mapper=mapper_name(silent)))
    report = made.redrive()
    assert [(one.queue, one.document, one.reason) for one in report.removals] == [
        ("parking", "", "its mappers produced no event")
    ]


def test_the_log_says_it_once_for_each_reason(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody sees the report of a scheduled run. No line for each message, and no more than ten."""
    made = world({})
    for number in range(40):
        made.bury(replace(order(number + 1), ns=Namespace(db="shop", coll=f"c{number % 20}")), lane=number)
    caplog.set_level(logging.WARNING)
    assert counts(made.redrive()) == {"messages": 40, "left": 40}
    assert len([line for line in caplog.records if getattr(line, "action", "") == "left_to_its_mappers"]) == 10


def test_a_report_names_the_first_and_counts_the_rest() -> None:
    """Of what stays and of what went."""
    made = world({"orders": ()})
    for number in range(150):
        made.bury(order(number + 1), lane=number)
        made.bury(inserted(f"x{number}", number), lane=1000 + number)
    report = made.redrive()
    assert (report.left, len(report.leftovers), report.unpublished, len(report.removals)) == (150, 100, 150, 100)


def before_any_names_by_the_bus() -> Parked:
    """Before mappers were named."""
    return replace(by_the_bus(), mapper="", mappers="")


def before_any_names_by_an_outage() -> Parked:
    return replace(by_an_outage(), mappers="")


def by_a_mapper_of_the_same_name() -> Parked:
    """As of two objects of one class."""
    return replace(by_a_mapper(), mapper=mapper_name(silent))


@pytest.mark.parametrize("mappers", [{"orders": (silent,)}, {"orders": (silent, silent)}], ids=["one", "two"])
@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    "form",
    [by_a_mapper_of_the_same_name, before_any_names, before_any_names_by_the_bus, before_any_names_by_an_outage, by_an_outage],
)
def test_no_event_of_mappers_that_may_be_others_removes_nothing(form: Any, dry_run: bool, mappers: Mappers) -> None:
    """Although they read its collection. It stays, says why, and goes where a person says that it may."""
    made = world(mappers, "others:MAPPERS")
    made.put_parked(form())
    report = made.redrive(dry_run=dry_run)
    assert counts(report) == {"messages": 1, "left": 1}
    assert len(made.remaining) == 1
    assert "--discard-unmapped" in report.leftovers[0].reason
    assert counts(made.redrive(discard_unmapped=True)) == {"messages": 1, "unpublished": 1}
    assert made.remaining == []


@pytest.mark.parametrize("form", [before_this_version, as_it_came])
def test_no_event_of_mappers_that_are_the_right_ones_is_an_response(form: Any) -> None:
    """The mapper has its name, or none was asked: nobody has to be told."""
    made = world({"orders": (silent,)}, "others:MAPPERS")
    item = form()
    made.put_parked(replace(item, mapper=mapper_name(silent)) if item.mapper else item)
    assert counts(made.redrive()) == {"messages": 1, "unpublished": 1}


class Callable:
    """A mapper that is an object."""

    def __call__(self, change: Change) -> None:
        """Tells nothing."""


@pytest.mark.parametrize(
    ("mapper", "name"),
    [
        (order_placed, "order_placed"),
        (partial(order_placed), "order_placed"),
        (partial(partial(order_placed)), "order_placed"),
        (broken(order_placed), "order_placed"),
        (Callable(), "Callable"),
        (Callable().__call__, "Callable.__call__"),
        (lambda change: None, "<lambda>"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mapper_has_one_name_in_every_process(mapper: Mapper, name: str) -> None:
    """No address of this one: an item that is parked today is redriven by another process tomorrow."""
    assert mapper_name(mapper) == f"{__name__}.{name}"


def test_a_hostile_item_cannot_make_a_report_long() -> None:
    """Its names are cut."""
    made = world(SHIPPED)
    made.put_parked(replace(by_a_mapper(), mapper="m" * 100_000, mappers="\x1b[31m" * 1000))
    [left] = made.redrive().leftovers
    assert len(left.reason) <= 2_000
    assert left.reason.isprintable()
