"""The bus, and the way from it to other teams."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.messaging.schemas import CONTENT_LIMIT, FOLDER, contents
from tests.infra.template import of_type, only, stack

THEIRS = "arn:aws:events:eu-west-1:111122223333:event-bus/subscriptions"
ORDERED = f"arn:aws:events:eu-west-1:111122223333:event-busv2/audit/{25 * 'a'}"
CONSUMERS = [
    {"name": "subscriptions", "bus_arn": THEIRS, "events": ["PaymentCancelled"]},
    {"name": "audit", "bus_arn": ORDERED},
]


def with_bus(**bus: Any) -> Any:
    return stack(database=None, streams=[], bus=bus)


def resources(kind: str, **bus: Any) -> dict[str, Any]:
    return dict(of_type(with_bus(**bus), kind))


def test_a_classic_bus_keeps_every_event_in_its_archive() -> None:
    """For as long as the environment says, or not at all."""
    assert only(with_bus(archive_days=90), "AWS::Events::Archive")["RetentionDays"] == 90
    assert "EventPattern" not in only(with_bus(archive_days=90), "AWS::Events::Archive")
    assert resources("AWS::Events::Archive", archive_days=0) == {}


def test_the_forwarder_calls_a_classic_bus_by_name_and_an_ordered_one_by_its_arn() -> None:
    """By the ARN it knows which kind it is."""

    def called(**bus: Any) -> Any:
        function = only(with_bus(**bus), "AWS::Lambda::Function", "FunctionsForwarder")
        return function["Environment"]["Variables"]["FORWARDER_EVENT_BUS"]

    assert set(called()) == {"Ref"}
    assert called(kind="ordered")["Fn::GetAtt"][1] == "EventBusArn"


def test_a_consumer_gets_the_events_they_named_and_only_those() -> None:
    """By their rule to their own bus; who names none gets all."""
    rules = {one["Targets"][0]["Id"]: one for one in resources("AWS::Events::Rule", consumers=CONSUMERS).values()}
    assert rules["subscriptions"]["EventPattern"] == {"detail-type": ["PaymentCancelled"]}
    assert rules["subscriptions"]["Targets"][0]["Arn"] == THEIRS
    assert rules["audit"]["EventPattern"] == {"source": [{"prefix": ""}]}


def test_an_event_is_tried_for_a_day_and_then_kept() -> None:
    """In a standard queue of the consumer's own, to which only their rule may write."""
    template = with_bus(consumers=CONSUMERS[:1])
    [target] = only(template, "AWS::Events::Rule")["Targets"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    kept = target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
    assert "FifoQueue" not in of_type(template, "AWS::SQS::Queue")[kept]
    policy = only(template, "AWS::SQS::QueuePolicy", "Undelivered")["PolicyDocument"]["Statement"]
    [allowed] = [one for one in policy if one["Effect"] == "Allow"]
    [rule] = of_type(template, "AWS::Events::Rule")
    assert allowed["Action"] == "sqs:SendMessage"
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}}


def test_what_a_rule_cannot_deliver_may_be_encrypted() -> None:
    """By the queue alone: EventBridge, as it writes to a queue under a key, names no account to the key's policy."""
    template = stack(database=None, streams=[], customer_key=True, bus={"consumers": CONSUMERS[:1]})
    policy = only(template, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    [keeping] = [one for one in policy if one.get("Sid") == "EncryptWhatRulesCannotDeliver"]
    assert set(keeping["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert list(keeping["Condition"]["ArnLike"]) == ["kms:EncryptionContext:aws:sqs:arn"]
    assert "aws:SourceAccount" not in json.dumps([one for one in policy if "events.amazonaws.com" in str(one["Principal"])])


def test_another_account_manages_its_own_rules_and_no_others() -> None:
    """On this bus only. It cannot put events on it."""
    [policy] = resources("AWS::Events::EventBusPolicy", allowed_accounts=["444455556666"]).values()
    statement = policy["Statement"]
    assert "444455556666" in json.dumps(statement["Principal"])
    assert statement["Condition"] == {"StringEqualsIfExists": {"events:creatorAccount": "444455556666"}}
    assert json.dumps(statement["Resource"]).count(":rule/tailrace-test/*") == 1
    assert "events:PutEvents" not in statement["Action"]


def test_an_ordered_bus_delivers_in_order_and_for_a_day() -> None:
    """First in, first out in each event group, also on another ordered bus, and one subscriber after the other is made."""
    template = with_bus(kind="ordered", consumers=CONSUMERS, archive_days=14)
    assert only(template, "AWS::EventsV2::EventBus")["StorageConfiguration"] == {"RetentionPeriodInDays": 14}
    subscribers = of_type(template, "AWS::EventsV2::Subscriber")
    for one in subscribers.values():
        assert one["Type"] == "FIFO"
        assert one["RetryPolicy"] == {"MaxEventAgeInSeconds": 86_400, "MaxRetryAttempts": 185}
    targets = {one["InvokeConfiguration"]["TargetArn"]: one["InvokeConfiguration"] for one in subscribers.values()}
    assert targets.keys() == {THEIRS, ORDERED}
    assert "EventGroupId" in targets[ORDERED]["EventBusV2Parameters"]["SystemMetadata"]
    assert "EventBusV2Parameters" not in targets[THEIRS]
    first, second = subscribers
    assert first in template.find_resources("AWS::EventsV2::Subscriber")[second]["DependsOn"]


def test_an_ordered_bus_may_be_subscribed_to_from_another_account() -> None:
    """By a policy of the bus that allows that and looking at it."""
    template = with_bus(kind="ordered", allowed_accounts=["444455556666"])
    [statement] = only(template, "AWS::EventsV2::ResourcePolicy")["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["events:CreateSubscriber", "events:UpdateSubscriber", "events:DescribeEventBus"]
    assert isinstance(statement["Principal"]["AWS"], dict)  # one is no list


def test_every_events_schema_is_in_the_registry_as_it_is() -> None:
    """Each version of each event under the name of its file, and the content is the file's own."""
    entries = {one["SchemaName"]: one for one in resources("AWS::EventSchemas::Schema").values()}
    files = {file.name.removesuffix(".openapi.json"): file for file in FOLDER.glob("*.openapi.json")}
    assert entries.keys() == files.keys()
    assert len(files) == len(list(FOLDER.glob("*.json"))) / 2
    for name, file in files.items():
        assert entries[name]["Type"] == "OpenApi3"
        assert json.loads(entries[name]["Content"]) == json.loads(file.read_text())


def test_schemas_can_be_left_out() -> None:
    """Where a region has no registry."""
    assert resources("AWS::EventSchemas::Registry", schemas=False) == {}


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, "is not OpenAPI 3.0"),
        ({"openapi": "3.1.0"}, "is not OpenAPI 3.0"),
        ({"openapi": "3.0.0", "info": {"description": CONTENT_LIMIT * "x"}}, "a schema registry takes 100,000"),
    ],
)
def test_what_a_registry_would_refuse_is_named_before(tmp_path: Path, schema: dict[str, Any], problem: str) -> None:
    """With the file's name, and not in the middle of a deployment."""
    (tmp_path / "app.x@Y-v1.openapi.json").write_text(json.dumps(schema))
    with pytest.raises(ValueError, match=problem) as refused:
        contents(tmp_path)
    assert "app.x@Y-v1" in str(refused.value)
