"""The doctor's checks of the forwarder, as far as its rights reach."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from devstack import DevStack
from devstack.ordered_bus import OrderedBusServer
from tailer.aws.checks.destinations import bus, forwarder_checks, parking, watermarks
from tailer.aws.checks.forwarder import Forwarder
from tailer.aws.checks.queue import Queue
from tailer.checks import NotChecked, State
from tests.tailer.aws.checks.test_queue import RefusingAws, refused
from tests.tailer.checked import Doctor

Made = Callable[[], Forwarder]
NOWHERE = "http://127.0.0.1:1"  # a port without a listener


@pytest.fixture
def forwarder(stack: DevStack, queue_url: str) -> Made:
    """The forwarder after the checks of the queue and the function."""

    def made() -> Forwarder:
        queue = Queue(queue_url, stack.aws, now=lambda: datetime.now(UTC))
        queue.exists()
        found = Forwarder(queue, stack.resources.claim_bucket, stack.aws)
        if found.mapping().state is State.OK:
            found.function()
        return found

    return made


def test_missing_bus_is_found(stack: DevStack, doctor: Doctor, function: str, mapping: str, fresh: str) -> None:
    """EventBridge accepts events for it without an error and drops them, so the exit code is 2."""
    events = stack.aws("events")
    events.create_event_bus(Name=fresh)
    configure(stack, function, FORWARDER_EVENT_BUS=fresh)
    assert doctor().code == 0
    events.delete_event_bus(Name=fresh)
    report = doctor()
    assert report.failed == {"forwarder.bus"}
    assert f"there is no bus {fresh}" in report["forwarder.bus"][1]
    assert report.code == 2


def test_queue_without_a_mapping_is_found(forwarder: Made) -> None:
    assert "no function" in forwarder().mapping().found


def test_disabled_mapping_is_found(stack: DevStack, forwarder: Made, mapping: str) -> None:
    """With its id."""
    stack.aws("lambda").update_event_source_mapping(UUID=mapping, Enabled=False)
    verdict = forwarder().mapping()
    assert verdict.state is State.FAIL
    assert mapping in verdict.remedy


def test_mapping_without_partial_failures_is_found(stack: DevStack, forwarder: Made, mapping: str) -> None:
    """It would delete failed messages, which loses changes."""
    stack.aws("lambda").update_event_source_mapping(UUID=mapping, FunctionResponseTypes=[])
    verdict = forwarder().mapping()
    assert (verdict.state, verdict.exit_code) == (State.FAIL, 2)
    assert "ReportBatchItemFailures" in verdict.remedy


def test_claim_bucket_of_another_name_is_found(stack: DevStack, forwarder: Made, function: str, mapping: str) -> None:
    """The function could not fetch the tailer's claims."""
    configure(stack, function, FORWARDER_CLAIM_BUCKET="another")
    verdict = forwarder().function()
    assert verdict.state is State.FAIL
    assert "FORWARDER_CLAIM_BUCKET is another" in verdict.found


def test_parked_changes_are_counted(stack: DevStack, forwarder: Made, mapping: str, parking_url: str) -> None:
    assert parking(forwarder()).state is State.OK
    stack.aws("sqs").send_message(QueueUrl=parking_url, MessageBody="x", MessageGroupId="x", MessageDeduplicationId="x")
    verdict = parking(forwarder())
    assert verdict.state is State.WARN
    assert "holds 1 changes" in verdict.found


def test_function_that_starts_passes(forwarder: Made, mapping: str) -> None:
    """It is invoked with an empty batch."""
    assert forwarder().start().state is State.OK


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import acme.events", "No module named 'acme'"),
        ("def handler(event, context):\n    raise ValueError('FORWARDER_MAPPERS: cannot be imported')", "FORWARDER_MAPPERS"),
        ("def handler(event):\n    return {}", "argument"),
    ],
    ids=["import", "settings", "signature"],
)
def test_function_that_does_not_start_is_found(
    stack: DevStack, forwarder: Made, function: str, mapping: str, code: str, reason: str
) -> None:
    """With its own error."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as file:
        file.writestr("stand_in.py", code)
    stack.aws("lambda").update_function_code(FunctionName=function, ZipFile=package.getvalue())
    verdict = forwarder().start()
    assert (verdict.state, verdict.exit_code) == (State.FAIL, 2)
    assert reason in verdict.found


@pytest.mark.parametrize(
    ("watched", "response", "state", "words"),
    [
        ([], {"batchItemFailures": []}, State.OK, "whole databases"),
        (["shop.orders"], {"batchItemFailures": [], "unmapped": []}, State.OK, "1 collections"),
        (["shop.orders"], {"batchItemFailures": []}, State.SKIP, "does not report"),
        (["shop.orders"], None, State.SKIP, "does not report"),
        (["shop.a"], {"unmapped": ["no mapper reads shop.a"]}, State.WARN, "no mapper reads shop.a"),
        (["shop.a"] * 5, {"unmapped": [f"no mapper reads {n}" for n in range(5)]}, State.WARN, "no mapper reads 2; and 2 more"),
    ],
)
def test_unmapped_collection_is_found(
    stack: DevStack, queue_url: str, function: str, mapping: str, watched: list[str], response: Any, state: State, words: str
) -> None:
    """The function is asked, since only it knows its mappers. An earlier version does not say."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as file:
        asked = f"    assert event == {{'Records': [], 'collections': {watched!r}}}"
        file.writestr("stand_in.py", f"def handler(event, context):\n{asked}\n    return {response!r}\n")
    stack.aws("lambda").update_function_code(FunctionName=function, ZipFile=package.getvalue())
    queue = Queue(queue_url, stack.aws, now=lambda: datetime.now(UTC))
    queue.exists()
    found = Forwarder(queue, "", stack.aws, watched)
    found.mapping()
    found.function()
    assert found.start().state is State.OK
    verdict = found.mapped()
    assert verdict.state is state
    assert words in verdict.found


@pytest.mark.parametrize("name", ["EVENT_BUS", "PARKING_QUEUE_URL"])
def test_function_without_its_settings_is_found(
    stack: DevStack, forwarder: Made, function: str, mapping: str, name: str
) -> None:
    configure(stack, function, **{f"FORWARDER_{name}": ""})
    found = forwarder()
    verdict = bus(found) if name == "EVENT_BUS" else parking(found)
    assert f"FORWARDER_{name} is not set" in verdict.found


@pytest.mark.parametrize(
    ("setting", "state", "found"),
    [
        ("", State.FAIL, "is not set: the function does not start"),
        ("off", State.WARN, "is published again"),
        ("tailrace-state", State.OK, "in tailrace-state"),
    ],
)
def test_watermark_setting_of_the_function_is_reported(
    stack: DevStack, forwarder: Made, function: str, mapping: str, setting: str, state: State, found: str
) -> None:
    """Without it the function does not start; with ``off`` it publishes repeats."""
    configure(stack, function, FORWARDER_WATERMARKS=setting)
    verdict = watermarks(forwarder())
    assert verdict.state is state
    assert found in verdict.found


def test_ordered_bus_is_checked_by_its_arn(stack: DevStack, forwarder: Made, function: str, mapping: str) -> None:
    """With its own client. A missing one has the same message."""
    with OrderedBusServer() as server:
        found = forwarder()
        found.clients = lambda service: ordered(server) if service == "eventbridgev2" else stack.aws(service)
        for arn, state in ((server.bus("orders"), State.OK), (server.bus("other").replace("other", "gone"), State.FAIL)):
            configure(stack, function, FORWARDER_EVENT_BUS=arn)
            found.function()
            assert bus(found).state is state


def ordered(server: OrderedBusServer) -> Any:
    return client("eventbridgev2", server.endpoint_url)


def client(service: str, endpoint_url: str) -> Any:
    place = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    once = Config(retries={"total_max_attempts": 1})
    return boto3.client(service, endpoint_url=endpoint_url, config=once, **place)


@pytest.mark.parametrize(
    ("look", "right"),
    [
        ("mapping", "lambda:ListEventSourceMappings"),
        ("function", "lambda:GetFunctionConfiguration"),
        ("bus", "events:DescribeEventBus on payments"),
        ("start", "lambda:InvokeFunction on"),
        ("parking", "sqs:GetQueueAttributes"),
    ],
)
def test_check_without_permission_is_skipped_with_the_missing_right(
    forwarder: Made, mapping: str, look: str, right: str
) -> None:
    """A tailer's role has none of these rights."""
    found = forwarder()
    found.clients = found.queue._clients = RefusingAws(refused("AccessDeniedException"))
    [check] = [check for check in forwarder_checks(found) if check.name == f"forwarder.{look}"]
    with pytest.raises(NotChecked, match=right):
        check.run()


def test_network_without_a_route_to_lambda_is_skipped(stack: DevStack, queue_url: str) -> None:
    """A network of endpoints has only those that a tailer needs. The check ends at once."""

    def clients(service: str) -> Any:
        return client("lambda", NOWHERE) if service == "lambda" else stack.aws(service)

    queue = Queue(queue_url, stack.aws, now=lambda: datetime.now(UTC))
    queue.exists()
    finding = forwarder_checks(Forwarder(queue, "", clients))[0].finding()
    assert finding.state is State.SKIP
    assert "lambda cannot be reached" in finding.found


def configure(stack: DevStack, function: str, **variables: str) -> None:
    """Update these variables of the function."""
    client = stack.aws("lambda")
    now = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=function, Environment={"Variables": now | variables})
