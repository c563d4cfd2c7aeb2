"""The tables of ``docs/costs.md``, each between two marks of its name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from infra.costs.bill import Line, total
from infra.costs.inputs import Inputs
from infra.costs.packed import CHANGES, MEASURED, Packed
from infra.costs.standing import Template, standing
from infra.costs.traffic import traffic
from infra.settings import Environment

MILLION = 1_000_000
AMOUNTS = (0, MILLION, 10 * MILLION, 100 * MILLION)  # changes in a month, for the worked table
_CENT = 0.005  # dollars; what is less is shown as next to nothing

Stacks = Mapping[Environment, Template]
"""Environments, each with its synthesised template."""


class NoMarks(Exception):
    """A page has no place for a table; the text names the marks."""


def replaced(page: str, tables: Mapping[str, str]) -> str:
    """
    The page with each table between its marks, ``<!-- NAME: written by make docs -->`` and ``<!-- end of NAME -->``.

    Raises:
        NoMarks: a table has no place on the page.
    """
    for name, table in tables.items():
        begin, end = f"<!-- {name}: written by make docs -->", f"<!-- end of {name} -->"
        marked = re.compile(rf"({begin}\n).*?({end})", re.DOTALL)
        if not marked.search(page):
            raise NoMarks(f"there is no {begin} … {end} on the page")
        page = marked.sub(partial(_between, table), page)
    return page


def tables(shipped: Stacks, others: Stacks, inputs: Inputs) -> dict[str, str]:
    """All of them, by name. ``others`` are only in the table of a month."""
    return {
        "prices": _prices(inputs),
        "assumptions": _table(
            ["assumption", "value", "meaning"],
            [[f"`{name}`", f"{one.value:,}", one.meaning] for name, one in inputs.assumptions.items()],
        ),
        "packed": _packed(MEASURED),
        "million": _million(shipped, inputs),
        "month": _month({**shipped, **others}, inputs),
        "worked": _worked(shipped, inputs),
    }


def _between(table: str, marks: re.Match[str]) -> str:
    return f"{marks[1]}{table}\n{marks[2]}"


def _prices(inputs: Inputs) -> str:
    rows = [
        [
            f"`{name}`",
            f"{price.usd:g}",
            _per(price.per),
            price.unit,
            price.source if price.verified else f"**unverified**: {price.source}",
        ]
        for name, price in inputs.prices.items()
    ]
    return f"Region {inputs.region}, looked up {inputs.date}.\n\n" + _table(["price", "USD", "for", "unit", "source"], rows)


def _packed(measured: Sequence[Packed]) -> str:
    rows = [
        [
            one.name,
            "-" if one is measured[0] else f"{one.batch:,}",
            f"{one.messages:,}",
            f"{one.calls:,}",
            f"{one.size / CHANGES:,.0f}",
            f"{CHANGES / one.messages:.1f}",
        ]
        for one in measured
    ]
    head = ["", "changes at a time", "messages", "calls", "message bytes per change", "changes per message"]
    return _table(head, rows)


def _million(stacks: Stacks, inputs: Inputs) -> str:
    """One column for each way of packing; of services with several lines the sum."""
    [*environments] = stacks
    bills = {one.name: list(traffic(one, environments[-1], inputs, changes=MILLION)) for one in MEASURED}
    services = list(dict.fromkeys(line.service for bill in bills.values() for line in bill if line.usd))
    rows = [[service, *(_usd(total(_of(bill, service))) for bill in bills.values())] for service in services]
    for environment in reversed(environments):
        sums = [total(traffic(one, environment, inputs, changes=MILLION)) for one in MEASURED]
        rows.append([f"**{environment.name}**", *(f"**{_usd(one)}**" for one in sums)])
    return _table(["USD for a million changes", *bills], rows)


def _month(stacks: Stacks, inputs: Inputs) -> str:
    bills = {environment.name: list(standing(template, environment, inputs)) for environment, template in stacks.items()}
    services = list(dict.fromkeys(line.service for bill in bills.values() for line in bill))
    found = {(line.service, line.what) for bill in bills.values() for line in bill if line.usd}
    rows = []
    for service, what in sorted(found, key=lambda name: (services.index(name[0]), name[1])):
        sums = [total(line for line in bill if (line.service, line.what) == (service, what)) for bill in bills.values()]
        rows.append([service, what, *map(_usd, sums)])
    return _table(
        ["USD a month", "", *bills], [*rows, ["**all**", "", *(f"**{_usd(total(bill))}**" for bill in bills.values())]]
    )


def _worked(stacks: Stacks, inputs: Inputs) -> str:
    rows = []
    for environment, template in stacks.items():
        fixed = total(standing(template, environment, inputs))
        for one in MEASURED:
            sums = [fixed + total(traffic(one, environment, inputs, changes=amount)) for amount in AMOUNTS]
            rows.append([environment.name, one.name, *map(_usd, sums)])
    return _table(["USD a month", "", *(f"{amount:,} changes" for amount in AMOUNTS)], rows)


def _of(bill: Iterable[Line], service: str) -> list[Line]:
    return [line for line in bill if line.service == service]


def _usd(amount: float) -> str:
    if not amount:
        return "-"
    return f"{amount:,.2f}" if amount >= _CENT else "< 0.01"


def _per(units: int) -> str:
    return {1: "1", MILLION: "1 million"}.get(units, f"{units:,}")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
