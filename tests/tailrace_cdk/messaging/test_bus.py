"""The bus, and its rules and subscribers for other teams."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template

from tailrace.packaging import Catalogue
from tailrace_cdk import Tailrace
from tailrace_cdk.messaging.schemas import CONTENT_LIMIT, contents
from tests.tailrace_cdk.package import event, package
from tests.tailrace_cdk.template import of_type, only, stack, unchecked

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


def under_a_key(**bus: Any) -> Any:
    return stack(database=None, streams=[], customer_key=True, bus=bus)


def key_statements(template: Any) -> dict[str, Any]:
    """Return the statements of the key's policy by their names."""
    return {one["Sid"]: one for one in only(template, "AWS::KMS::Key")["KeyPolicy"]["Statement"]}


def joined(value: Any) -> str:
    """Return the name that an expression of a template makes."""
    [_, parts] = value["Fn::Join"]
    return "".join(part if isinstance(part, str) else part["Ref"].rpartition("::")[2] for part in parts)


def test_classic_bus_archives_every_event() -> None:
    """For the days of the environment, or not at all."""
    assert only(with_bus(archive_days=90), "AWS::Events::Archive")["RetentionDays"] == 90
    assert "EventPattern" not in only(with_bus(archive_days=90), "AWS::Events::Archive")
    assert resources("AWS::Events::Archive", archive_days=0) == {}


def test_forwarder_gets_the_name_of_a_classic_bus_and_the_arn_of_an_ordered_one() -> None:
    """The ARN tells the kind."""

    def called(**bus: Any) -> Any:
        function = only(with_bus(**bus), "AWS::Lambda::Function", "FunctionsForwarder")
        return function["Environment"]["Variables"]["FORWARDER_EVENT_BUS"]

    assert set(called()) == {"Ref"}
    assert called(kind="ordered")["Fn::GetAtt"][1] == "EventBusArn"


def test_consumer_gets_exactly_the_events_it_named() -> None:
    """By a rule to its own bus. Without names it gets all."""
    rules = {one["Targets"][0]["Id"]: one for one in resources("AWS::Events::Rule", consumers=CONSUMERS).values()}
    assert rules["subscriptions"]["EventPattern"] == {"detail-type": ["PaymentCancelled"]}
    assert rules["subscriptions"]["Targets"][0]["Arn"] == THEIRS
    assert rules["audit"]["EventPattern"] == {"source": [{"prefix": ""}]}


def test_undelivered_event_is_retried_for_a_day_and_then_kept() -> None:
    """In a standard queue of the consumer, to which only its rule may write. A refused event is kept at once."""
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


def test_undeliverable_events_may_be_encrypted_with_the_key() -> None:
    """Restricted to the queue: EventBridge names no account to the policy of a queue's key."""
    policy = key_statements(under_a_key(consumers=CONSUMERS[:1]))
    keeping = policy["EncryptWhatRulesCannotDeliver"]
    assert set(keeping["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert list(keeping["Condition"]["ArnLike"]) == ["kms:EncryptionContext:aws:sqs:arn"]
    of_eventbridge = [one for one in policy.values() if "events.amazonaws.com" in str(one["Principal"])]
    assert "aws:SourceAccount" not in json.dumps(of_eventbridge)


def test_classic_bus_may_use_its_key_only_for_buses() -> None:
    """And for their archives, which name the bus too."""
    using = key_statements(under_a_key())["EncryptTheBusAndItsArchive"]
    [context] = using["Condition"]["ArnLike"].items()
    assert context[0] == "kms:EncryptionContext:aws:events:event-bus:arn"
    assert joined(context[1]).endswith(":event-bus/*")


def test_ordered_bus_may_use_its_key_only_for_itself() -> None:
    """
    With every action that EventBridge needs to create the bus, and only in its context. EventBridge chooses the end of the ARN.
    """
    policy = key_statements(under_a_key(kind="ordered", consumers=CONSUMERS))
    using = policy["EncryptTheBus"]
    actions = ("Decrypt", "Encrypt", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo")
    assert sorted(using["Action"]) == [f"kms:{action}" for action in actions]
    [context] = using["Condition"]["StringLike"].items()
    assert context[0] == "kms:EncryptionContext:aws:events:event-busv2:arn"
    assert joined(context[1]).endswith(":event-busv2/tailrace-test/*")
    of_eventbridge = {sid for sid, one in policy.items() if "events.amazonaws.com" in str(one["Principal"])}
    assert of_eventbridge == {"LookAtTheKeyOfABus", "EncryptTheBus"}


@pytest.mark.parametrize(
    ("kind", "context", "bus"),
    [
        ("classic", "kms:EncryptionContext:aws:events:event-bus:arn", ":event-bus/tailrace-test"),
        ("ordered", "kms:EncryptionContext:aws:events:event-busv2:arn", ":event-busv2/tailrace-test/*"),
    ],
)
def test_account_may_use_the_key_to_attach_to_the_bus(kind: str, context: str, bus: str) -> None:
    """Only through EventBridge and for this bus, where its rules and subscribers are encrypted with the key."""
    policy = key_statements(under_a_key(kind=kind, allowed_accounts=["444455556666"]))
    attaching = policy["LetAnAccountAttachToTheBus444455556666"]
    assert attaching["Action"] == "kms:Decrypt"
    assert "444455556666" in json.dumps(attaching["Principal"])
    assert joined(attaching["Condition"]["StringEquals"]["kms:ViaService"]) == "events.Region.amazonaws.com"
    assert joined(attaching["Condition"]["StringLike"][context]).endswith(bus)


def test_events_that_the_key_cannot_encrypt_are_kept() -> None:
    """By a classic bus, in a standard queue without our key, to which only this bus may write."""
    template = under_a_key()
    [(bus, of_bus)] = of_type(template, "AWS::Events::EventBus").items()
    kept = of_type(template, "AWS::SQS::Queue")[of_bus["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]]
    assert kept["SqsManagedSseEnabled"] is True
    assert "FifoQueue" not in kept
    assert kept["MessageRetentionPeriod"] == 14 * 86_400
    policy = only(template, "AWS::SQS::QueuePolicy", "Unreadable")["PolicyDocument"]["Statement"]
    [allowed] = [one for one in policy if one["Effect"] == "Allow"]
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "events.amazonaws.com"}, "sqs:SendMessage")
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [bus, "Arn"]}}}


def test_bus_without_a_key_of_ours_needs_no_such_queue() -> None:
    """Nor does an ordered bus, which waits for its key."""
    assert "DeadLetterConfig" not in only(with_bus(), "AWS::Events::EventBus")
    queues = of_type(under_a_key(kind="ordered"), "AWS::SQS::Queue")
    assert not [name for name in queues if name.startswith("Events")]


def test_other_account_may_manage_only_its_own_rules() -> None:
    """On this bus. It cannot put events on it."""
    policies = resources("AWS::Events::EventBusPolicy", allowed_accounts=["444455556666"]).values()
    [statement] = [one["Statement"] for one in policies if one["Statement"]["Effect"] == "Allow"]
    assert "444455556666" in json.dumps(statement["Principal"])
    assert statement["Condition"] == {"StringEqualsIfExists": {"events:creatorAccount": "444455556666"}}
    assert json.dumps(statement["Resource"]).count(":rule/tailrace-test/*") == 1
    assert "events:PutEvents" not in statement["Action"]


def test_ordered_bus_delivers_in_order_and_retries_for_a_day() -> None:
    """In order within each event group, also to another ordered bus. Subscribers are created one after another."""
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


def test_ordered_bus_keeps_undelivered_events_in_order() -> None:
    """In a FIFO queue, to which the consumer's role writes."""
    template = with_bus(kind="ordered", consumers=CONSUMERS[:1])
    kept = only(template, "AWS::EventsV2::Subscriber")["OnFailureConfiguration"]["Arn"]["Fn::GetAtt"][0]
    queue = of_type(template, "AWS::SQS::Queue")[kept]
    assert (queue["FifoQueue"], queue["ContentBasedDeduplication"]) == (True, True)
    policy = only(template, "AWS::IAM::Policy", "subscriptionsRole")["PolicyDocument"]["Statement"]
    [keeping] = [one for one in policy if one["Action"] == "sqs:SendMessage"]
    assert keeping["Resource"] == {"Fn::GetAtt": [kept, "Arn"]}


def test_bus_of_one_kind_can_be_replaced_by_the_other() -> None:
    """No resource keeps its logical id and changes its type, which CloudFormation refuses."""
    templates = [with_bus(kind=kind, consumers=CONSUMERS).to_json()["Resources"] for kind in ("classic", "ordered")]
    classic, ordered = ({name: one["Type"] for name, one in template.items()} for template in templates)
    assert {name for name in classic.keys() & ordered.keys() if classic[name] != ordered[name]} == set()
    assert set(classic.values()) != set(ordered.values())


def test_other_account_may_subscribe_to_an_ordered_bus() -> None:
    """By a policy of the bus for that and for describing it."""
    template = with_bus(kind="ordered", allowed_accounts=["444455556666"])
    policy = only(template, "AWS::EventsV2::ResourcePolicy")["PolicyDocument"]["Statement"]
    [statement] = [one for one in policy if one["Effect"] == "Allow"]
    assert statement["Action"] == ["events:CreateSubscriber", "events:UpdateSubscriber", "events:DescribeEventBus"]
    assert isinstance(statement["Principal"]["AWS"], dict)  # A single account is no list.


def test_schema_registry_has_the_events_of_the_package_and_no_others(tmp_path: Path) -> None:
    """Each version under the name of its schema, with the OpenAPI schema."""
    made = Stack(unchecked(tmp_path / "cdk.out"), "stack")
    Tailrace(made, "Shop", package=package(tmp_path, "OrderPlaced", "OrderPaid"), name="shop")
    template = Template.from_stack(made)
    entries = {one["SchemaName"]: one for one in of_type(template, "AWS::EventSchemas::Schema").values()}
    assert entries.keys() == {"app.shop@OrderPlaced-v1", "app.shop@OrderPaid-v1"}
    assert {(one["Type"], one["Content"]) for one in entries.values()} == {("OpenApi3", '{"openapi":"3.0.3"}')}
    assert only(template, "AWS::EventSchemas::Registry")["RegistryName"] == "tailrace-shop"


def test_schema_registry_can_be_omitted() -> None:
    """Some regions have none."""
    assert resources("AWS::EventSchemas::Registry", schemas=False) == {}


def test_schema_that_is_too_large_for_the_registry_is_named_before_the_deployment() -> None:
    """With the remedy."""
    with pytest.raises(ValueError, match=r"app.shop@Y-v1: .* takes 100,000\. Shorten the event, or set"):
        contents(Catalogue(mappers="events:MAPPERS", keys=(), events=(event("Y", description=CONTENT_LIMIT * "x"),)))
