"""The bill: complete, current, and the sum that anybody would reckon by hand."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.costs import inputs, tables
from infra.costs.__main__ import PAGE, SHIPPED, main, page, template
from infra.costs.bill import Line, total
from infra.costs.inputs import SHIPPED as SHIPPED_INPUTS
from infra.costs.inputs import Inputs, MissingInput
from infra.costs.packed import MEASURED
from infra.costs.standing import standing
from infra.costs.traffic import traffic
from infra.costs.unpriced import PRICED, UNPRICED
from infra.settings import ENVIRONMENTS, Alarms, Database, Environment, Network, Stream, load
from tailer.emf import EmfLines
from tailer.metrics import Families, Metrics
from tailer.run import LOOK_AT_LEASE
from tests.infra.template import EXISTING_VPC

MESSAGING = Environment(name="messaging")
[UNPACKED, QUIET, *_, BEHIND] = MEASURED


@pytest.fixture(scope="module")
def given() -> Inputs:
    return inputs.load()


def resources(*found: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"Resources": {f"R{number}": {"Type": kind, "Properties": one} for number, (kind, one) in enumerate(found)}}


def usd(lines: Iterable[Line], service: str) -> float:
    return sum(line.usd for line in lines if line.service == service)


def test_the_page_is_what_the_model_says(given: Inputs) -> None:
    """``make docs`` writes it; whoever changes an environment, a resource or a price runs it."""
    text = PAGE.read_text()
    assert page(text, given) == text


def test_every_resource_is_priced_or_known_to_cost_nothing_of_its_own() -> None:
    """A new kind of resource cannot slip out of the bill."""
    known = PRICED.union(*UNPRICED.values())
    for name in SHIPPED:
        found = {resource["Type"] for resource in template(load(ENVIRONMENTS / f"{name}.toml"))["Resources"].values()}
        assert found - known == set(), name


def test_what_is_priced_is_not_also_unpriced() -> None:
    """Each type has one place."""
    kinds = [*PRICED, *(kind for kinds in UNPRICED.values() for kind in kinds)]
    assert len(kinds) == len(set(kinds))


def test_a_send_counts_once_for_each_begun_64_kilobytes(given: Inputs) -> None:
    """A million changes, one message and one call each, read and deleted ten at a time: 1.2 million requests."""
    assert usd(traffic(UNPACKED, MESSAGING, given, changes=1_000_000), "SQS") == pytest.approx(1.2 * 0.50)
    assert usd(traffic(QUIET, MESSAGING, given, changes=1_000_000), "SQS") == pytest.approx(3 * 0.50)


def test_events_cost_what_they_cost_however_changes_are_packed(given: Inputs) -> None:
    """Nothing merges two events; an archive and a consumer's bus come on top."""
    unarchived = MESSAGING.model_copy(update={"bus": MESSAGING.bus.model_copy(update={"archive_days": 0})})
    for one in MEASURED:
        assert usd(traffic(one, unarchived, given, changes=2_000_000), "EventBridge") == pytest.approx(2.00)
    archived = usd(traffic(BEHIND, MESSAGING, given, changes=1_000_000), "EventBridge")
    assert archived == pytest.approx(1 + 0.6 * (0.10 + 0.023))


def test_packing_is_cheaper_and_costs_grow_with_the_changes(given: Inputs) -> None:
    """Twice the changes, twice the price; behind is the cheapest way there is."""
    sums = [total(traffic(one, MESSAGING, given, changes=1_000_000)) for one in MEASURED]
    assert min(sums) == sums[-1]
    assert total(traffic(QUIET, MESSAGING, given, changes=2_000_000)) == pytest.approx(2 * sums[1])


def test_an_endpoint_costs_in_every_zone_and_a_gateway_endpoint_nothing(given: Inputs) -> None:
    """Two interface endpoints in two zones are four hours an hour."""
    interface = {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}
    stack = resources(*[("AWS::EC2::VPCEndpoint", interface)] * 2, ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}))
    assert usd(standing(stack, MESSAGING, given), "VPC") == pytest.approx(4 * 730 * 0.01)


def test_a_service_costs_by_its_tasks(given: Inputs) -> None:
    """Not by the task definitions there are."""
    task = {"Cpu": "512", "Memory": "1024", "RuntimePlatform": {"CpuArchitecture": "X86_64"}}
    stack = resources(
        ("AWS::ECS::TaskDefinition", task),
        ("AWS::ECS::TaskDefinition", task),
        ("AWS::ECS::Service", {"DesiredCount": 3, "TaskDefinition": {"Ref": "R0"}}),
    )
    assert usd(standing(stack, MESSAGING, given), "Fargate") == pytest.approx(3 * 730 * (0.5 * 0.04048 + 0.004445))


def test_an_alarm_costs_by_the_metrics_it_watches(given: Inputs) -> None:
    """An expression is free, what it is made of is not."""
    queries = [{"Id": "a", "MetricStat": {}}, {"Id": "b", "MetricStat": {}}, {"Id": "c", "Expression": "a/b"}]
    alarms = resources(("AWS::CloudWatch::Alarm", {"Metrics": queries}), ("AWS::CloudWatch::Alarm", {"MetricName": "Lag"}))
    assert sum(line.usd for line in standing(alarms, MESSAGING, given) if line.price == "alarm") == pytest.approx(0.30)


def test_a_price_that_is_missing_is_named(given: Inputs) -> None:
    """Nothing costs nothing by mistake."""
    stack = resources(("AWS::DocDB::DBInstance", {"DBInstanceClass": "db.r9z.huge"}))
    with pytest.raises(MissingInput, match=r"documentdb\.r9z\.huge"):
        list(standing(stack, MESSAGING, given))


def test_a_stream_more_costs_more(given: Inputs) -> None:
    """Its figures, its checkpoint, and the spares that look at its lease."""
    one, two = (
        Environment(name="e", database=Database(), streams=tuple(Stream(name=f"s{n}", database="d") for n in range(count)))
        for count in (1, 2)
    )
    assert total(standing(resources(), two, given)) > total(standing(resources(), one, given))


def test_an_existing_network_carries_messages_for_nothing(given: Inputs) -> None:
    """What it costs is on another bill."""
    existing = Network.model_validate(EXISTING_VPC)
    stream = (Stream(name="s", database="d"),)
    there, made = (
        Environment(name="e", database=Database(), streams=stream, network=network) for network in (existing, Network())
    )
    assert usd(traffic(BEHIND, there, given, changes=1e6), "VPC") == 0
    assert usd(traffic(BEHIND, made, given, changes=1e6), "VPC") > 0


def test_the_assumptions_agree_with_the_code(given: Inputs) -> None:
    """What can be counted is counted: looks at a lease, and the bytes of a line of figures."""
    assert given.assumed("looks_per_second") == 1 / LOOK_AT_LEASE
    lines: list[str] = []
    families = Families()
    Metrics("payments", families)
    EmfLines("Tailrace/production", families, now=lambda: datetime.now(UTC), write=lines.append).write()
    assert max(map(len, lines)) < given.assumed("figures_bytes") < 3 * max(map(len, lines))


def test_a_bill_is_printed_with_your_own_prices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--inputs`` replaces all of them, and what is not there is said."""
    mine = tmp_path / "prices.toml"
    mine.write_text(re.sub(r"(\[prices\.event\]\nusd = )1\.00", r"\g<1>9.00", SHIPPED_INPUTS.read_text()))
    assert main(["--environment", "trial"]) == 0
    shipped = capsys.readouterr().out
    assert main(["--environment", "trial", "--inputs", str(mine)]) == 0
    dearer = capsys.readouterr().out
    assert _caused(dearer) == pytest.approx(_caused(shipped) + 8)
    mine.write_text(mine.read_text().replace("[prices.event]", "[prices.another]"))
    assert main(["--environment", "trial", "--inputs", str(mine)]) == 2
    assert "no price for event" in capsys.readouterr().err
    assert main(["--environment", str(tmp_path / "none.toml")]) == 2


def test_an_address_for_alarms_costs_a_key(given: Inputs) -> None:
    """As its description and the page say; not where there is a key already."""

    def month(**more: Any) -> float:
        one = Environment(name="x", **more)
        return usd(standing(template(one), one, given), "KMS")

    mail = Alarms(email="oncall@example.com")
    assert month() == 0
    assert f"{month(alarms=mail):.2f}" == "1.30"
    assert month(alarms=mail, customer_key=True) == month(customer_key=True)
    assert "USD 1.30" in str(Alarms.model_fields["email"].description)
    assert "`[alarms] email` adds USD 1.30" in PAGE.read_text()


def test_a_page_without_marks_is_refused() -> None:
    """A table that has no place would be lost in silence."""
    with pytest.raises(tables.NoMarks, match="month"):
        tables.replaced("# Costs", {"month": "| |"})


def _caused(bill: str) -> float:
    """What the changes that are behind cost, by the last line."""
    return float(bill.strip().splitlines()[-1].split()[0])
