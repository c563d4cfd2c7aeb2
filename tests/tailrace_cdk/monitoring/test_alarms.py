"""The alarms: one for everything that a person must be called for, on metrics that are really shown."""

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
    """By name, without what all names begin with."""
    found = of_type(template, "AWS::CloudWatch::Alarm").values()
    assert all(alarm["AlarmName"].startswith(PREFIX) for alarm in found)
    return {alarm["AlarmName"].removeprefix(PREFIX): alarm for alarm in found}


def page(name: str) -> str:
    return name.partition(".")[0]


def metrics(alarm: Alarm) -> list[Mapping[str, Any]]:
    """What an alarm looks at, in one form: of a single metric or of an expression."""
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


def test_every_page_has_its_alarm_and_every_alarm_its_page(everything: Mapping[str, Alarm]) -> None:
    """Where a stack has everything, each page can ring."""
    assert {page(name) for name in everything} == set(PAGES)


def test_each_stream_table_and_consumer_has_its_own(everything: Mapping[str, Alarm]) -> None:
    """One that is ill does not hide another."""
    about = {name: set() for name in map(page, everything)}  # type: dict[str, set[str]]
    for name in everything:
        about[page(name)].add(name.partition(".")[2])
    for kind in ("lag", "headroom", "no-owner", "stream-stopped", "stubs"):
        assert about[kind] == {"payments", "orders"}
    assert about["undelivered"] == about["events-lost"] == {"billing"}
    assert about["forwarder-errors"] == about["forwarder-throttles"] == {"", "redrive", "carts"}
    assert about["table-age"] == about["records-kept"] == about["records-lost"] == {"carts"}


def test_an_alarm_says_what_it_means_and_where_the_remedy_is(everything: Mapping[str, Alarm]) -> None:
    """The first that a person reads."""
    for name, alarm in everything.items():
        assert alarm["AlarmDescription"] == f"{PAGES[page(name)]}. What to do: {RUNBOOK}#{page(name)}"


def test_an_alarm_on_our_metrics_is_on_one_that_is_shown(everything: Mapping[str, Alarm]) -> None:
    """By its name, with the dimension that it has, and of a stream that there is."""
    ours = [metric for alarm in everything.values() for metric in metrics(alarm) if metric["Namespace"].startswith("Tailrace")]
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
        ("no-owner.payments", "breaching"),  # nobody says anything: nobody is there
        ("no-standby", "breaching"),
        ("lag.payments", "ignore"),  # no-owner rings; what the lag was stays to be seen
        ("headroom.payments", "missing"),  # unknown is shown as unknown
        ("stream-stopped.payments", "notBreaching"),  # only who gave up says so
        ("stubs.payments", "notBreaching"),  # a figure of what happened
        ("dead-letters", "notBreaching"),  # SQS is silent about a queue that nobody uses
        ("parking", "notBreaching"),
        ("queue-age", "notBreaching"),
        ("forwarder-errors", "notBreaching"),
        ("undelivered.billing", "notBreaching"),
        ("bus-key", "notBreaching"),
    ],
)
def test_what_is_missing_is_bad_only_where_it_must_be_there(everything: Mapping[str, Alarm], name: str, missing: str) -> None:
    """An alarm that rings for silence, and one that does not."""
    assert everything[name]["TreatMissingData"] == missing


def test_one_late_line_rings_nothing(everything: Mapping[str, Alarm]) -> None:
    """What is looked at every minute must be bad three times."""
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
    assert {metric["MetricName"]: metric["Statistic"] for metric in metrics(headroom)} == {
        "Headroom": "Minimum",
        "History": "Maximum",
    }


def test_records_that_were_given_up_are_counted_by_the_mapping_that_gave_them_up() -> None:
    """Lambda counts them only where it is asked to."""
    template = stack(**EVERYTHING)
    [mapping] = template.find_resources(
        "AWS::Lambda::EventSourceMapping", {"Properties": {"MetricsConfig": {"Metrics": ["EventCount"]}}}
    )
    counted = {
        name: metric["MetricName"]
        for name, alarm in alarms(template).items()
        for metric in metrics(alarm)
        if metric.get("Dimensions") == [{"Name": "EventSourceMappingUUID", "Value": {"Fn::GetAtt": [mapping, "Id"]}}]
    }
    assert counted == {
        "records-kept.carts": "OnFailureDestinationDeliveredEventCount",
        "records-lost.carts": "DroppedEventCount",
    }


def test_a_lost_event_is_looked_for_on_the_consumers_rule_of_our_bus(everything: Mapping[str, Alarm]) -> None:
    """EventBridge names both for a bus that is not the default one."""
    dimensions = {one["Name"]: one["Value"] for one in everything["events-lost.billing"]["Dimensions"]}
    assert dimensions["EventBusName"] == "tailrace-test"
    [index, split] = dimensions["RuleName"]["Fn::Select"]
    rule_arn = "arn:aws:events:eu-west-1:000000000000:rule/tailrace-test/billing-1"
    assert rule_arn.split(split["Fn::Split"][0])[int(index)] == "billing-1"


def test_without_a_tailer_there_are_none_about_it() -> None:
    """The messaging part has alarms for what it has."""
    found = alarms(stack(**MESSAGING))
    assert {page(name) for name in found} == {"queue-age", "dead-letters", "parking", "forwarder-errors", "forwarder-throttles"}


@pytest.mark.parametrize(("minutes", "period"), [(0, 300), (3, 300), (15, 900), (1440, 86_400)])
def test_a_redrive_that_always_fails_is_heard_of(minutes: int, period: int) -> None:
    """Between two of its runs there may be hours: in shorter periods no two would ever be bad one after the other."""
    found = alarms(stack(forwarder={"redrive_minutes": minutes}))
    assert {found[f"{page}.redrive"]["Period"] for page in ("forwarder-errors", "forwarder-throttles")} == {period}


def test_no_alarm_rings_before_there_is_a_tailer() -> None:
    """Those that ring for silence are made when the service is up."""
    template = stack(**EVERYTHING).to_json()["Resources"]
    [service] = [name for name, one in template.items() if one["Type"] == "AWS::ECS::Service"]
    silent = {
        one["Properties"]["AlarmName"]: one.get("DependsOn", ())
        for one in template.values()
        if one.get("Properties", {}).get("TreatMissingData") == "breaching"
    }
    assert len(silent) == 3
    assert all(service in dependencies for dependencies in silent.values())


def test_without_standby_tasks_no_alarm_expects_one() -> None:
    """Who asked for none is not called for none."""
    assert "no-standby" not in alarms(stack(tailer={"standby_tasks": 0}))


def test_a_lost_event_of_an_ordered_bus_is_looked_for_on_the_consumers_subscriber() -> None:
    """EventBridge names both by their ARNs. It waits for its key, and leaves nothing aside for the want of it."""
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


def test_an_event_that_the_key_does_not_open_is_heard_of() -> None:
    """By the queue that the bus leaves it in. Without a key of ours there is none."""
    template = stack(**EVERYTHING)
    [dimension] = alarms(template)["bus-key"]["Dimensions"]
    set_aside = only(template, "AWS::Events::EventBus")["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
    assert dimension == {"Name": "QueueName", "Value": {"Fn::GetAtt": [set_aside, "QueueName"]}}
    assert "bus-key" not in alarms(stack(**MESSAGING))


def test_all_of_them_tell_a_topic_when_they_begin_and_when_they_end() -> None:
    """One of our own that mails, over TLS only, under a key that CloudWatch may use."""
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
    """Else every alarm would ring in the console and nowhere else, and nobody would know."""
    template = stack(**{**EVERYTHING, "customer_key": customer_key})
    key = only(template, "AWS::SNS::Topic")["KmsMasterKeyId"]["Fn::GetAtt"][0]
    statements = of_type(template, "AWS::KMS::Key")[key]["KeyPolicy"]["Statement"]
    [allowed] = [one for one in statements if one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert {"kms:Decrypt", "kms:GenerateDataKey"} <= set(allowed["Action"])
    assert ("Notices" in key) is not customer_key


def test_a_topic_that_is_there_is_used() -> None:
    """Nothing is made beside it."""
    template = stack(alarms={"topic_arn": TOPIC})
    assert of_type(template, "AWS::SNS::Topic") == {}
    assert {tuple(alarm["AlarmActions"]) for alarm in alarms(template).values()} == {(TOPIC,)}


def test_with_nobody_to_tell_they_show_in_the_console() -> None:
    """A trial needs no address."""
    template = stack()
    assert of_type(template, "AWS::SNS::Topic") == {}
    assert all("AlarmActions" not in alarm for alarm in alarms(template).values())
