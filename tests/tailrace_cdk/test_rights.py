"""
Each program, run against the deployed resources, makes only calls that its role allows, and needs every right of its role. The
emulator checks no rights, so the calls are compared with the policies here.
"""

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from devstack import DevStack
from lambda_forwarder import app
from lambda_forwarder.claims.s3 import S3Claims
from lambda_forwarder.handlers import redrive
from lambda_forwarder.handlers import sqs as sqs_handler
from lambda_forwarder.model.parked import unreadable
from lambda_forwarder.parking.sqs import SqsParking
from tailer import app as tailer
from tailer.cli.command_line import command_line
from tailer.parts import Parts
from tailer.settings.settings import load
from tailer.stores.dynamodb import _key
from tailrace.dev.aws import arn
from tailrace.wire.message import MESSAGE_LIMIT, UnreadableMessage
from tests.eventually import eventually
from tests.lambda_forwarder.handlers.test_sqs import Context
from tests.lambda_forwarder.parking.test_parkings import parked
from tests.lambda_forwarder.parking.test_sqs import noise
from tests.lambda_forwarder.values import body, cancelled, claiming, delivery, forever, inserted, record, sent_id
from tests.tailrace_cdk.here import Here
from tests.tailrace_cdk.rights import Call, Statement, allowed, listed, recorded, used
from tests.tailrace_cdk.template import stack as template

FITS_NOWHERE = noise(MESSAGE_LIMIT)  # a message too large for the parking queue, even compressed
LARGE = 1_500_000  # bytes, more than any message or event holds
# Lambda receives its messages and writes its log on behalf of a program.
OTHERS = {"ReceiveChanges", "WriteItsOwnLog"}
# Calls of the doctor that a task's role may not make, since they could pass the function any change.
LEFT_TO_A_PERSON = {"lambda:InvokeFunction"}


@pytest.fixture(autouse=True)
def alone(here: Here, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[None]:
    """Remove the developer's settings and the clients of other tests."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("FORWARDER_", "TAILER_", "AWS_"))]:
        monkeypatch.delenv(name)
    for name, value in here.aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("lambda_forwarder.redriving.sqs.WAIT_SECONDS", 0)
    made = (app.forwarder, app.redriver)
    for one in made:
        one.cache_clear()
    yield
    for one in made:
        one.cache_clear()


def use_settings_of(here: Here, function: str, monkeypatch: pytest.MonkeyPatch) -> list[Statement]:
    """Set this process's environment to the deployed function's, and return the statements of its role."""
    name = here.deployment.physical("AWS::Lambda::Function", function)
    configuration = here.aws("lambda").get_function_configuration(FunctionName=name)
    for variable, value in configuration["Environment"]["Variables"].items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("FORWARDER_MAPPERS", "examples.payments.events:MAPPERS")  # in the zip they are events:MAPPERS
    role, iam = here.deployment.physical("AWS::IAM::Role", f"{function}Role"), here.aws("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policies = [iam.get_role_policy(RoleName=role, PolicyName=one) for one in names]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def unneeded(statements: list[Statement], calls: set[Call]) -> set[str]:
    """Return the actions that were allowed and never needed."""
    ours = [one for one in statements if one["Sid"] not in OTHERS]
    return {f"{one['Sid']} {action}" for one in ours for action in set(listed(one["Action"])) - used(one, calls)}


def test_forwarder_needs_exactly_its_rights(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a claimed change, an event too large for the bus, an unreadable message, and a redelivered one."""
    statements = use_settings_of(here, "Forwarder", monkeypatch)
    outputs = here.deployment.outputs
    bucket = outputs["ClaimBucket"]
    claimed, content = claiming(inserted("claimed"), bucket=bucket, key="payments/1.json")
    here.aws("s3").put_object(Bucket=bucket, Key="payments/1.json", Body=content)
    large = inserted("large", subscriptionId=LARGE * "s")
    bodies = [body(inserted(), cancelled()), body(claimed, lane=1), body(large, lane=2), "not ours", FITS_NOWHERE]
    again = record(body(inserted("again"), lane=3), group="payments.3", message_id="again", receives=2)
    again["eventSourceARN"] = arn("sqs", outputs["QueueUrl"].rpartition("/")[2])
    with recorded(monkeypatch) as calls:
        response = sqs_handler.handler({"Records": [*(record(one) for one in bodies), again]}, Context())
    assert response == {"batchItemFailures": [{"itemIdentifier": "again"}]}
    assert [call for call in calls if not allowed(call, statements)] == []
    assert unneeded(statements, calls) == set()


def test_redrive_needs_exactly_its_rights(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """With both queues: publishable changes, poison, claims, and large items."""
    statements = use_settings_of(here, "Redrive", monkeypatch)
    sqs, outputs = here.aws("sqs"), here.deployment.outputs
    claimed, content = claiming(inserted("claimed", 5), bucket=outputs["ClaimBucket"], key="payments/5.json")
    here.aws("s3").put_object(Bucket=outputs["ClaimBucket"], Key="payments/5.json", Body=content)
    claims = S3Claims(here.aws("s3"), outputs["ClaimBucket"])
    too_large = unreadable(delivery(FITS_NOWHERE[::-1]), UnreadableMessage("not ours"))
    items = [parked("a", 1), parked("b", 2, subscriptionId=7), too_large]
    SqsParking(sqs, outputs["ParkingQueueUrl"], claims).park(items, forever)
    large, poison = inserted("large", 3, subscriptionId=LARGE * "s"), inserted("poison", 4, subscriptionId=7)
    for text in (body(large), body(poison), body(claimed), FITS_NOWHERE):
        sqs.send_message(
            QueueUrl=outputs["DeadLetterQueueUrl"], MessageBody=text, MessageGroupId="g", MessageDeduplicationId=sent_id(text)
        )
    with recorded(monkeypatch) as calls:
        report = redrive.handler({}, Context())
    assert report["published"]
    assert [call for call in calls if not allowed(call, statements)] == []
    assert unneeded(statements, calls) == set()


def test_tailer_and_doctor_need_exactly_their_rights(
    here: Here, stack: DevStack, monkeypatch: pytest.MonkeyPatch, fresh: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a change, a change too large for a message, every check of the doctor, and unmapped collections."""
    outputs, payments = here.deployment.outputs, stack.mongo[fresh].payments
    settings = {
        "QUEUE_URL": outputs["QueueUrl"],
        "CHECKPOINTS": f"dynamodb://{outputs['StateTable']}",
        "CLAIM_BUCKET": outputs["ClaimBucket"],
        "MONGODB_URI": stack.mongodb_uri,
        "STREAM": "payments",
        "DATABASE": fresh,
        "START": datetime.now(UTC).isoformat(),
        "HTTP_PORT": "0",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"TAILER_{name}", value)
    # Another test may have left a checkpoint of this stream.
    here.aws("dynamodb").delete_item(TableName=outputs["StateTable"], Key=_key("payments"))
    payments.insert_one({"_id": "large", "subscriptionId": "s1", "scan": os.urandom(LARGE)})
    stopping = threading.Event()
    with recorded(monkeypatch) as calls:
        task = threading.Thread(target=tailer.run, args=([Parts(one) for one in load()], stopping))
        task.start()
        assert eventually(lambda: any(call.action == "sqs:SendMessage" for call in tuple(calls)))
        stopping.set()
        task.join()
        for command in ("doctor", "status"):
            command_line([command], threading.Event())
    statements = _of_the_tailer(here)
    assert {call.action for call in calls if not allowed(call, statements)} <= LEFT_TO_A_PERSON
    assert unneeded(statements, calls) == set()


def _of_the_tailer(here: Here) -> list[Statement]:
    """Return the statements of a whole stack's task, with the ARNs of the deployed resources."""
    whole = template().find_resources("AWS::IAM::Policy").items()
    [policy] = [one["Properties"]["PolicyDocument"] for name, one in whole if name.startswith("ServiceTaskRole")]
    return [{**one, "Resource": [_resolved(arn, here) for arn in listed(one["Resource"])]} for one in policy["Statement"]]


def _resolved(value: Any, here: Here) -> str:
    """Return an ARN of a template with the physical names of the deployment."""
    match value:
        case {"Fn::GetAtt": [logical, "Arn"]}:
            resource = here.deployment.resources[logical]
            name = resource["PhysicalResourceId"].rpartition("/")[2]
            return {
                "AWS::SQS::Queue": arn("sqs", name),
                "AWS::DynamoDB::Table": arn("dynamodb", f"table/{name}"),
                "AWS::S3::Bucket": f"arn:aws:s3:::{name}",
                "AWS::Events::EventBus": arn("events", f"event-bus/{name}"),
                "AWS::Lambda::Function": arn("lambda", f"function:{name}"),
            }[resource["ResourceType"]]
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_resolved(part, here) for part in parts)
        case _:
            return str(value)
