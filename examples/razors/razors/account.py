"""The account of the domains (``account.yaml``), and what an operator does in it."""

import json
from pathlib import Path
from typing import Any

from tailrace.dev.aws import REGION, Aws, Clients, arn
from tailrace.dev.resources import TABLE

TEMPLATE = Path(__file__).parents[1] / "account.yaml"
PUBLISHERS = ("subscriptions", "payments")  # the domains whose events others handle
CODE = "razors-code"


def deploy(aws: Aws, package: Path, orders_endpoint: str) -> None:
    """Create the stack with the functions of this package. Archives are apart: the emulator's CloudFormation has none."""
    aws("s3").create_bucket(Bucket=CODE, CreateBucketConfiguration={"LocationConstraint": REGION})
    aws("s3").upload_file(str(package), CODE, package.name)
    parameters = {"CodeBucket": CODE, "CodeKey": package.name, "Watermarks": TABLE}
    parameters |= {"Endpointsubscriptions": aws.endpoint_url, "Endpointorders": orders_endpoint}
    aws("cloudformation").create_stack(
        StackName="razors",
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_AUTO_EXPAND"],
    )
    aws("cloudformation").get_waiter("stack_create_complete").wait(StackName="razors", WaiterConfig={"Delay": 1})
    for domain in PUBLISHERS:
        aws("events").create_archive(ArchiveName=domain, EventSourceArn=bus_arn(domain), RetentionDays=30)


def bus_arn(domain: str) -> str:
    return arn("events", f"event-bus/razors-{domain}")


def queue_url(aws: Clients, name: str) -> str:
    return str(aws("sqs").get_queue_url(QueueName=name)["QueueUrl"])


def redrive(aws: Clients) -> dict[str, Any]:
    """Invoke the redrive as its schedule does, and return its response."""
    response = aws("lambda").invoke(FunctionName="razors-redrive", Payload="{}")
    result: dict[str, Any] = json.loads(response["Payload"].read())
    return result


def read_again(aws: Clients, function: str) -> None:
    """Connect a function to the stream of its table again, from the oldest record on."""
    client = aws("lambda")
    [mapping] = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    client.delete_event_source_mapping(UUID=mapping["UUID"])
    kept = ("EventSourceArn", "StartingPosition", "BatchSize", "FunctionResponseTypes", "DestinationConfig")
    client.create_event_source_mapping(FunctionName=function, **{name: mapping[name] for name in kept})
