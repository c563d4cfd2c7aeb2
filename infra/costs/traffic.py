"""What changes cause: the part of the bill that grows with them."""

from collections.abc import Iterator

from infra.costs.bill import Line
from infra.costs.inputs import Inputs
from infra.costs.packed import CHANGES, CHUNK, Packed
from infra.settings import Environment

GB = 1_000_000_000  # bytes


def traffic(packed: Packed, environment: Environment, inputs: Inputs, *, changes: float) -> Iterator[Line]:
    """The lines for so many changes, packed like these."""
    scale = changes / CHANGES
    line = Line.maker(inputs)
    yield line("SQS", "send", "sqs_request", packed.sends * scale)
    yield line("SQS", "receive", "sqs_request", packed.receives * scale)
    yield line("SQS", "delete", "sqs_request", packed.invocations * scale)
    yield line("Lambda", "invocations", "lambda_request", packed.invocations * scale)
    yield line("Lambda", "time", "lambda_gb_second", _seconds(packed, inputs) * scale * environment.forwarder.memory / 1024)
    yield line("DynamoDB", "watermarks written", "dynamodb_write", packed.messages * scale)
    yield line("DynamoDB", "watermarks read", "dynamodb_read", packed.messages * scale)
    yield from _events(environment, inputs, changes * inputs.assumed("events_per_change"))
    claims = changes * inputs.assumed("claims_per_change")
    yield line("S3", "claims stored", "s3_put", claims)
    yield line("S3", "claims fetched", "s3_get", claims)
    log = packed.invocations * scale * inputs.assumed("log_bytes_per_invocation")
    yield line("CloudWatch", "logs of the forwarder", "log_gb", log / GB)
    if environment.watches and not environment.network.vpc_id:
        price = "endpoint_gb" if environment.network.egress == "endpoints" else "nat_gb"
        yield line("VPC", "messages on their way to SQS", price, packed.size * scale / GB)
    if environment.database:
        ios = changes * inputs.assumed("documentdb_ios_per_change")
        yield line("DocumentDB", "I/O of the change stream", "documentdb_io", ios)


def _seconds(packed: Packed, inputs: Inputs) -> float:
    """How long the function runs: a read for an invocation, then message by message its events and its watermark."""
    calls = (packed.invocations + packed.messages) * inputs.assumed("dynamodb_seconds")
    return calls + packed.puts * inputs.assumed("put_seconds") + CHANGES * inputs.assumed("change_seconds")


def _events(environment: Environment, inputs: Inputs, events: float) -> Iterator[Line]:
    line, bus = Line.maker(inputs), environment.bus
    size = inputs.assumed("event_bytes")
    billed = events * -(-size // CHUNK)
    yield line("EventBridge", "events published", "event" if bus.kind == "classic" else "ordered_event", billed)
    if bus.consumers:
        yield line("EventBridge", "events delivered to other accounts' buses", "event_elsewhere", billed * len(bus.consumers))
    if bus.kind == "classic" and bus.archive_days:
        archived = events * size / GB
        yield line("EventBridge", "events archived", "archive_gb", archived)
        yield line(
            "EventBridge", f"archive kept for {bus.archive_days} days", "archive_gb_month", archived * bus.archive_days / 30
        )
