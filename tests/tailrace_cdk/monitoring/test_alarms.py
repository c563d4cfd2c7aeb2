"""The alarms: one for every condition that needs a person, on metrics that exist."""

from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk.assertions import Template

from tailrace.metrics import STREAM
from tailrace_cdk.monitoring.descriptions import PAGES, RUNBOOK
from tailrace_cdk.monitoring.metrics import METRICS
from tests.tailrace_cdk.template import of_type, only, stack

Alarm = Mapping[str, Any]
PREFIX = "tailrace-test-"
TOPIC = "arn:aws:sns:eu-west-1:000000000000:on-call"
EVERYTHING: Mapping[str, Any] = {
    "customer_key": True,
    "streams": [{"name": "payments", "database": "payments"}, {"name": "orders", "database": "orders"}],
    "forwarder": {
        "dynamodb_streams": [
            {"stream_arn": "arn:aws:dynamodb:eu-west-1:000000000000:table/carts/stream/2026-11-22T07:00:00.000"}
        ]
    },
    "bus": {"consumers": [{"name": "billing", "bus_arn": "arn:aws:events:eu-west-1:111111111111:event-bus/billing"}]},
    "alarms": {"email": "on-call@example.com", "lag_seconds": 120, "headroom_fraction": 0.25},
}
MESSAGING: Mapping[str, Any] = {"database": None, "streams": []}


def alarms(template: Template) -> dict[str, Alarm]:
    """Return the alarms by name without the common prefix."""
    found = of_type(template, "AWS::CloudWatch::Alarm").values()
    assert all(alarm["AlarmName"].startswith(PREFIX) for alarm in found)
    return {alarm["AlarmName"].removeprefix(PREFIX): alarm for alarm in found}


def page(name: str) -> str:
    return name.partition(".")[0]


def metrics_of(alarm: Alarm) -> list[Mapping[str, Any]]:
    """Return the metrics of an alarm, of a single metric or of an expression."""
    if "Metrics" not in alarm:
        return [alarm]
    return [
        one["MetricStat"]["Metric"] | {"Statistic": one["MetricStat"]["Stat"]}
        for one in alarm["Metrics"]
        if "MetricStat" in one
    ]


@pytest.fixture(scope="module")
def everything() -> dict[str, Alarm]:
    return alarms(stack(**EVERYTHING))


def test_every_page_of_the_runbook_has_its_alarm(everything: Mapping[str, Alarm]) -> None:
    """And every alarm has its page."""
    assert {page(name) for name in everything} == set(PAGES)


def test_each_stream_table_and_consumer_has_its_own_alarms(everything: Mapping[str, Alarm]) -> None:
    """So one does not hide another."""
    about = {name: set() for name in map(page, everything)}  # type: dict[str, set[str]]
    for name in everything:
        about[page(name)].add(name.partition(".")[2])
    for kind in ("lag", "headroom", "no-owner", "stream-stopped", "stubs"):
        assert about[kind] == {"payments", "orders"}
    assert about["undelivered"] == about["events-lost"] == {"billing"}
    assert about["forwarder-errors"] == about["forwarder-throttles"] == {"", "redrive", "carts"}
    assert about["table-age"] == about["records-kept"] == about["records-lost"] == {"carts"}


def test_alarm_has_its_meaning_and_the_remedys_address(everything: Mapping[str, Alarm]) -> None:
    for name, alarm in everything.items():
        assert alarm["AlarmDescription"] == f"{PAGES[page(name)]}. What to do: {RUNBOOK}#{page(name)}"


def test_alarm_on_our_metrics_uses_an_existing_metric(everything: Mapping[str, Alarm]) -> None:
    """With its dimension, of an existing stream."""
    ours = [
        metric for alarm in everything.values() for metric in metrics_of(alarm) if metric["Namespace"].startswith("Tailrace")
    ]
    assert {metric["Namespace"] for metric in ours} == {"Tailrace/test"}
    assert {metric["MetricName"] for metric in ours} == {
        "Lag",
        "Headroom",
        "History",
        "LeaseOwner",
        "Stopped",
        "StandingBy",
        "ChangesStubbed",
    }
    for metric in ours:
        dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions", ())}
        assert dimensions.keys() == ({STREAM} if METRICS[metric["MetricName"]].per_stream else set())
        assert set(dimensions.values()) <= {"payments", "orders"}


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("no-owner.payments", "breaching"),  # No data at all: no task runs.
        ("no-standby", "breaching"),
        ("lag.payments", "ignore"),  # no-owner rings, and the last lag stays visible.
        ("headroom.payments", "missing"),  # Unknown is shown as unknown.
        ("stream-stopped.payments", "notBreaching"),  # Only a task that stopped a stream reports it.
        ("stubs.payments", "notBreaching"),  # a count
        ("dead-letters", "notBreaching"),  # SQS reports nothing for an unused queue.
        ("parking", "notBreaching"),
        ("queue-age", "notBreaching"),
        ("forwarder-errors", "notBreaching"),
        ("undelivered.billing", "notBreaching"),
        ("bus-key", "notBreaching"),
    ],
)
def test_missing_data_rings_only_where_it_must(everything: Mapping[str, Alarm], name: str, missing: str) -> None:
    assert everything[name]["TreatMissingData"] == missing


def test_one_missing_minute_rings_no_alarm(everything: Mapping[str, Alarm]) -> None:
    """A value of every minute must be bad three times."""
    for name, alarm in everything.items():
        period = alarm.get("Period") or alarm["Metrics"][-1]["MetricStat"]["Period"]
        assert period == (900 if name.endswith(".redrive") else 300 if period > 60 else 60), name
        assert period > 60 or alarm["DatapointsToAlarm"] >= 3, name
        assert alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"], name


def test_thresholds_are_the_environments(everything: Mapping[str, Alarm]) -> None:
    """In seconds, and for Lambda's own metric in milliseconds."""
    assert everything["lag.payments"]["Threshold"] == everything["queue-age"]["Threshold"] == 120
    assert everything["table-age.carts"]["Threshold"] == 120_000
    headroom = everything["headroom.payments"]
    assert (headroom["Threshold"], headroom["ComparisonOperator"]) == (0.25, "LessThanThreshold")
    assert {metric["MetricName"]: metric["Statistic"] for metric in metrics_of(headroom)} == {
        "Headroom": "Minimum",
        "History": "Maximum",
    }


def test_dropped_records_are_counted_by_their_mapping() -> None:
    """Lambda counts them only on request."""
    template = stack(**EVERYTHING)
    [mapping] = template.find_resources(
        "AWS::Lambda::EventSourceMapping", {"Properties": {"MetricsConfig": {"Metrics": ["EventCount"]}}}
    )
    counted = {
        name: metric["MetricName"]
        for name, alarm in alarms(template).items()
        for metric in metrics_of(alarm)
        if metric.get("Dimensions") == [{"Name": "EventSourceMappingUUID", "Value": {"Fn::GetAtt": [mapping, "Id"]}}]
    }
    assert counted == {
        "records-kept.carts": "OnFailureDestinationDeliveredEventCount",
        "records-lost.carts": "DroppedEventCount",
    }


def test_lost_event_is_counted_on_the_consumers_rule(everything: Mapping[str, Alarm]) -> None:
    """With the bus and the rule as dimensions."""
    dimensions = {one["Name"]: one["Value"] for one in everything["events-lost.billing"]["Dimensions"]}
    assert dimensions["EventBusName"] == "tailrace-test"
    [index, split] = dimensions["RuleName"]["Fn::Select"]
    rule_arn = "arn:aws:events:eu-west-1:000000000000:rule/tailrace-test/billing-1"
    assert rule_arn.split(split["Fn::Split"][0])[int(index)] == "billing-1"


def test_stack_without_a_tailer_has_no_alarms_about_it() -> None:
    found = alarms(stack(**MESSAGING))
    assert {page(name) for name in found} == {"queue-age", "dead-letters", "parking", "forwarder-errors", "forwarder-throttles"}


@pytest.mark.parametrize(("minutes", "period"), [(0, 300), (3, 300), (15, 900), (1440, 86_400)])
def test_redrive_that_always_fails_rings(minutes: int, period: int) -> None:
    """Its runs may be hours apart, so shorter periods would never be bad in a row."""
    found = alarms(stack(forwarder={"redrive_minutes": minutes}))
    assert {found[f"{page}.redrive"]["Period"] for page in ("forwarder-errors", "forwarder-throttles")} == {period}


def test_no_alarm_rings_before_there_is_a_tailer() -> None:
    """Alarms on missing data are created after the service."""
    template = stack(**EVERYTHING).to_json()["Resources"]
    [service] = [name for name, one in template.items() if one["Type"] == "AWS::ECS::Service"]
    silent = {
        one["Properties"]["AlarmName"]: one.get("DependsOn", ())
        for one in template.values()
        if one.get("Properties", {}).get("TreatMissingData") == "breaching"
    }
    assert len(silent) == 3
    assert all(service in dependencies for dependencies in silent.values())


def test_no_standby_alarm_without_standby_tasks() -> None:
    assert "no-standby" not in alarms(stack(tailer={"standby_tasks": 0}))


def test_lost_event_of_an_ordered_bus_is_counted_on_its_subscriber() -> None:
    """With both ARNs as dimensions. An ordered bus waits for its key."""
    template = stack(**{**EVERYTHING, "bus": {**EVERYTHING["bus"], "kind": "ordered"}})
    found = alarms(template)
    assert {page(name) for name in found} == set(PAGES) - {"bus-key"}
    lost = found["events-lost.billing"]
    assert (lost["Namespace"], lost["MetricName"]) == ("AWS/EventsV2", "OnFailureDestinationFailed")
    [bus], [subscriber] = of_type(template, "AWS::EventsV2::EventBus"), of_type(template, "AWS::EventsV2::Subscriber")
    assert {one["Name"]: one["Value"] for one in lost["Dimensions"]} == {
        "EventBus": {"Fn::GetAtt": [bus, "EventBusArn"]},
        "Subscriber": {"Fn::GetAtt": [subscriber, "SubscriberArn"]},
    }


def test_event_that_the_key_cannot_encrypt_rings() -> None:
    """On the bus's queue, which exists only with a key of ours."""
    template = stack(**EVERYTHING)
    [dimension] = alarms(template)["bus-key"]["Dimensions"]
    set_aside = only(template, "AWS::Events::EventBus")["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
    assert dimension == {"Name": "QueueName", "Value": {"Fn::GetAtt": [set_aside, "QueueName"]}}
    assert "bus-key" not in alarms(stack(**MESSAGING))


def test_alarms_notify_the_topic_when_they_begin_and_end() -> None:
    """Our own topic sends mail, over TLS only, with a key that CloudWatch may use."""
    template = stack(**EVERYTHING)
    [topic] = of_type(template, "AWS::SNS::Topic")
    for alarm in alarms(template).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]
    assert only(template, "AWS::SNS::Subscription")["Endpoint"] == "on-call@example.com"
    statements = {one["Sid"]: one for one in only(template, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]}
    publishing = statements["LetOurAlarmsPublish"]
    assert publishing["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert publishing["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    [insecure] = [one for one in statements.values() if one["Effect"] == "Deny"]
    assert insecure["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("customer_key", [True, False])
def test_cloudwatch_may_use_the_key_of_the_topic(customer_key: bool) -> None:
    """Otherwise no alarm would be sent."""
    template = stack(**{**EVERYTHING, "customer_key": customer_key})
    key = only(template, "AWS::SNS::Topic")["KmsMasterKeyId"]["Fn::GetAtt"][0]
    statements = of_type(template, "AWS::KMS::Key")[key]["KeyPolicy"]["Statement"]
    [allowed] = [one for one in statements if one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert {"kms:Decrypt", "kms:GenerateDataKey"} <= set(allowed["Action"])
    assert ("Notices" in key) is not customer_key


def test_existing_topic_is_used() -> None:
    template = stack(alarms={"topic_arn": TOPIC})
    assert of_type(template, "AWS::SNS::Topic") == {}
    assert {tuple(alarm["AlarmActions"]) for alarm in alarms(template).values()} == {(TOPIC,)}


def test_alarms_without_a_topic_have_no_actions() -> None:
    """They are visible in the console."""
    template = stack()
    assert of_type(template, "AWS::SNS::Topic") == {}
    assert all("AlarmActions" not in alarm for alarm in alarms(template).values())
