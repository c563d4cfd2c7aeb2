"""The functions: a forwarder for each source, with the package and the events of this example, and the redrive."""

import json
import shutil
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from examples.razors.account import ORDERS, REDRIVE, SUBSCRIPTIONS, WATERMARKS, Account, bus
from tailrace.dev.aws import Clients, arn, role

OURS = Path(__file__).with_name("events.py")
SUBSCRIPTIONS_FORWARDER = "razors-subscriptions-forwarder"
MAPPERS = "examples.razors.events:MAPPERS"
TIMEOUT_SECONDS = 6
MEMORY = 256  # MB
STREAM_BATCH = 100  # records
QUEUE_BATCH = 10  # messages, the most that a FIFO mapping takes
HOURS = 23 * 3_600  # seconds; a stream keeps its records for 24 hours


def package(forwarder: Path, output: Path) -> Path:
    """Return Tailrace's zip with the module of this example added."""
    shutil.copyfile(forwarder, output)
    with ZipFile(output, "a", ZIP_DEFLATED) as archive:
        archive.write(OURS, "examples/razors/events.py")
    return output


def deploy(aws: Clients, account: Account, code: Path, changes_queue_arn: str, bus_endpoint: str) -> None:
    """
    All four, each invoked once with nothing to do, and what feeds them. The order store's reach their bus by ``bus_endpoint``.

    Raises:
        RuntimeError: one does not start; with its own words.
    """
    zipped = code.read_bytes()
    through_gate = {"FORWARDER_ON_OUTAGE": "park", "AWS_ENDPOINT_URL_EVENTBRIDGE": bus_endpoint}
    stream, queue = "lambda_forwarder.handlers.dynamodb.handler", "lambda_forwarder.handlers.sqs.handler"
    _function(aws, account, SUBSCRIPTIONS_FORWARDER, stream, "subscriptions", zipped)
    _function(aws, account, "razors-payments-forwarder", queue, "payments", zipped, FORWARDER_WATERMARKS=WATERMARKS)
    _function(aws, account, "razors-orders-forwarder", stream, "orders", zipped, **through_gate)
    redrive = through_gate | {"FORWARDER_WATERMARKS": WATERMARKS}
    _function(aws, account, REDRIVE, "lambda_forwarder.handlers.redrive.handler", "orders", zipped, **redrive)
    _from_stream(aws, SUBSCRIPTIONS_FORWARDER, account.streams[SUBSCRIPTIONS], "subscriptions")
    _from_stream(aws, "razors-orders-forwarder", account.streams[ORDERS], "orders")
    aws("lambda").create_event_source_mapping(
        FunctionName="razors-payments-forwarder",
        EventSourceArn=changes_queue_arn,
        BatchSize=QUEUE_BATCH,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )


def invoke(aws: Clients, name: str, event: dict[str, Any]) -> dict[str, Any]:
    """
    Invoke a function and return its answer.

    Raises:
        RuntimeError: it failed; with its own words.
    """
    response = aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    text = response["Payload"].read().decode()
    if response.get("FunctionError"):
        raise RuntimeError(f"{name}: {text}")
    told: dict[str, Any] = json.loads(text)
    return told


def read_again(aws: Clients, function: str, stream_arn: str, domain: str) -> None:
    """Connect a function to its stream, from the oldest record on."""
    client = aws("lambda")
    for mapping in client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]:
        client.delete_event_source_mapping(UUID=mapping["UUID"])
    _from_stream(aws, function, stream_arn, domain)


def _function(aws: Clients, account: Account, name: str, handler: str, domain: str, code: bytes, **settings: str) -> None:
    variables = {
        "FORWARDER_EVENT_BUS": bus(domain),
        "FORWARDER_MAPPERS": MAPPERS,
        "FORWARDER_PARKING_QUEUE_URL": account.parking[domain],
    }
    aws("lambda").create_function(
        FunctionName=name,
        Handler=handler,
        Runtime="python3.13",
        Role=role(name),
        Timeout=TIMEOUT_SECONDS,
        MemorySize=MEMORY,
        Environment={"Variables": variables | settings},
        Code={"ZipFile": code},
    )
    invoke(aws, name, {"Records": []})


def _from_stream(aws: Clients, function: str, stream_arn: str, domain: str) -> None:
    """
    What feeds a function from a table's stream. What it gives up at last is named in the on-failure queue: shard and sequence
    numbers, not the records. In production an S3 bucket as the destination keeps the records too.
    """
    aws("lambda").create_event_source_mapping(
        FunctionName=function,
        EventSourceArn=stream_arn,
        StartingPosition="TRIM_HORIZON",
        BatchSize=STREAM_BATCH,
        BisectBatchOnFunctionError=True,
        MaximumRecordAgeInSeconds=HOURS,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": arn("sqs", f"razors-{domain}-failed")}},
    )
