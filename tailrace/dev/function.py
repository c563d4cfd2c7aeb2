"""The forwarder's functions: their zip, their settings, and the mapping that feeds the first of them from the queue."""

import json
from pathlib import Path

from tailrace.dev.aws import Clients, role
from tailrace.dev.workspace import StartFailed

FUNCTION = "tailrace-forwarder"
HANDLER = "lambda_forwarder.handlers.sqs.handler"
REDRIVE = "tailrace-redrive"
REDRIVE_HANDLER = "lambda_forwarder.handlers.redrive.handler"
RUNTIME = "python3.13"  # as in production; the emulator runs everything with its own Python
TIMEOUT_SECONDS = 5
REDRIVE_TIMEOUT_SECONDS = 60
MEMORY = 256  # MB
BATCH = 10  # messages, the most that a FIFO mapping takes


def deploy(aws: Clients, package: Path, queue_arn: str, settings: dict[str, str]) -> None:
    """
    Put the package in place and let it run once before the queue feeds it. Redrive lies beside it, on no schedule: who wants
    it invokes it.

    Raises:
        StartFailed: it does not start, with its own words.
    """
    code = package.read_bytes()
    _function(aws, FUNCTION, HANDLER, TIMEOUT_SECONDS, code, settings)
    _function(aws, REDRIVE, REDRIVE_HANDLER, REDRIVE_TIMEOUT_SECONDS, code, settings)
    _prove(aws)
    _mapping(aws, queue_arn)


def _function(aws: Clients, name: str, handler: str, timeout: int, code: bytes, settings: dict[str, str]) -> None:
    """Create or update a function. The emulator sets AWS_ENDPOINT_URL itself."""
    client = aws("lambda")
    configuration = {
        "FunctionName": name,
        "Handler": handler,
        "Runtime": RUNTIME,
        "Role": role(name),
        "Timeout": timeout,
        "MemorySize": MEMORY,
        "Environment": {"Variables": settings},
    }
    try:
        client.create_function(Code={"ZipFile": code}, **configuration)
    except client.exceptions.ResourceConflictException:
        client.update_function_configuration(**configuration)
        client.update_function_code(FunctionName=name, ZipFile=code)


def _prove(aws: Clients) -> None:
    """Invoke the function without records: an error at its start is raised here, and later invocations are warm."""
    response = aws("lambda").invoke(FunctionName=FUNCTION, Payload=json.dumps({"Records": []}))
    if response.get("FunctionError"):
        raise StartFailed(f"the function {FUNCTION} does not start: {response['Payload'].read().decode()}")


def _mapping(aws: Clients, queue_arn: str) -> None:
    client = aws("lambda")
    if client.list_event_source_mappings(FunctionName=FUNCTION, EventSourceArn=queue_arn)["EventSourceMappings"]:
        return
    client.create_event_source_mapping(
        FunctionName=FUNCTION,
        EventSourceArn=queue_arn,
        BatchSize=BATCH,
        FunctionResponseTypes=["ReportBatchItemFailures"],  # only failed messages are received again
    )
