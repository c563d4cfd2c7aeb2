"""The page of costs is current, and each item is the sum that a person would calculate."""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.pages.costs import PACKINGS, PAGE, dollars, fixed, page, variable
from tailer.settings.settings import Settings
from tailer.streaming.task import LEASE_CHECK_INTERVAL
from tailrace_cdk.config import Alarms, Bus, Environment, Misconfigured
from tests.tailrace_cdk.template import environment

MESSAGING = Environment(name="messaging", bus=Bus(archive_days=0))


def resources(*found: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"Resources": {f"R{number}": {"Type": kind, "Properties": one} for number, (kind, one) in enumerate(found)}}


def month(service: str, *found: tuple[str, Mapping[str, Any]]) -> float:
    return dollars(list(fixed(resources(*found), MESSAGING)), service)


def test_costs_page_is_current() -> None:
    """Run ``make docs`` after a change of an environment, a resource or a price."""
    assert page() == PAGE.read_text()


def test_changes_cost_by_their_packing() -> None:
    """A million changes sent alone are three requests each, unpacked 1.2 requests, and always one event each."""

    def million(packing: str, service: str = "") -> float:
        return dollars(variable(packing, MESSAGING, 1_000_000), service)

    assert million("alone", "SQS") == pytest.approx(3 * 0.50)
    assert million("unpacked", "SQS") == pytest.approx(1.2 * 0.50)
    assert [million(packing, "EventBridge") for packing in PACKINGS] == pytest.approx([1.00, 1.00, 1.00])
    assert million("packed") < million("unpacked") < million("alone")


def test_resource_costs_by_its_billing_unit() -> None:
    """An endpoint by its zones, a service by its tasks, an alarm by its metrics."""
    interface, gateway = {"SubnetIds": ["a", "b"]}, {"VpcEndpointType": "Gateway"}
    endpoints = [("AWS::EC2::VPCEndpoint", one) for one in (interface, interface, gateway)]
    assert month("VPC", *endpoints) == pytest.approx(4 * 730 * 0.01)
    task = {"Cpu": "512", "Memory": "1024", "RuntimePlatform": {"CpuArchitecture": "X86_64"}}
    service = {"DesiredCount": 3, "TaskDefinition": {"Ref": "R0"}}
    found = month("Fargate", ("AWS::ECS::TaskDefinition", task), ("AWS::ECS::Service", service))
    assert found == pytest.approx(3 * 730 * (0.5 * 0.04048 + 0.004445))
    queries = [{"Id": "a", "MetricStat": {}}, {"Id": "b", "MetricStat": {}}, {"Id": "c", "Expression": "a/b"}]
    alarms = [("AWS::CloudWatch::Alarm", one) for one in ({"Metrics": queries}, {"MetricName": "Lag"})]
    assert month("CloudWatch", *alarms) - month("CloudWatch") == pytest.approx(0.30)


def test_missing_price_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"documentdb\.r9z\.huge"):
        month("", ("AWS::DocDB::DBInstance", {"DBInstanceClass": "db.r9z.huge"}))


def test_cost_assumptions_match_the_code() -> None:
    """How often a standby reads a lease, the default number of lanes, and the price of an address for alarms."""
    two = environment(tailer={"standby_tasks": 2})
    reads = [units for _, price, units in fixed(resources(), two) if price == "dynamodb_read"]
    assert sum(reads) == 2 * 730 * 3_600 / LEASE_CHECK_INTERVAL
    assert PACKINGS["packed"][0] == 2_500 / Settings.model_fields["lanes"].default
    key = month("KMS", ("AWS::KMS::Key", {}))
    assert f"USD {key:.2f}" in str(Alarms.model_fields["email"].description)
    assert f"`[alarms] email` adds USD {key:.2f}" in PAGE.read_text()
