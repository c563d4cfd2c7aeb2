"""What is there costs: the part of the bill that a month without a single change has too."""

from collections.abc import Iterator, Mapping
from typing import Any

from contract.figures import FORWARDER, TAILER
from infra.costs.bill import Line
from infra.costs.inputs import Inputs
from infra.costs.traffic import GB
from infra.settings import Environment

Template = Mapping[str, Any]
Properties = Mapping[str, Any]

HOUR, MINUTE = 3_600, 60  # seconds


def standing(template: Template, environment: Environment, inputs: Inputs) -> Iterator[Line]:
    """
    The lines of a month, from a synthesised template and the environment it was made of.

    Raises:
        MissingInput: a price that a resource needs, such as that of its instance class.
    """
    line, hours = Line.maker(inputs), inputs.assumed("hours")
    yield from _database(template, inputs)
    yield from _tasks(template, inputs)
    endpoints = [endpoint for endpoint in _all(template, "AWS::EC2::VPCEndpoint") if endpoint["VpcEndpointType"] == "Interface"]
    zones = sum(len(endpoint["SubnetIds"]) for endpoint in endpoints)
    yield line("VPC", "interface endpoints, in each zone", "endpoint_hour", zones * hours)
    yield line("VPC", "NAT gateways", "nat_hour", _count(template, "AWS::EC2::NatGateway") * hours)
    yield line("VPC", "public addresses of the NAT gateways", "address_hour", _count(template, "AWS::EC2::EIP") * hours)
    yield from _watching(template, environment, inputs)
    yield from _state(environment, inputs)
    yield from _functions(environment, inputs)
    keys = _count(template, "AWS::KMS::Key")
    yield line("KMS", "keys of your own", "key", keys)
    yield line("KMS", "requests for them", "key_request", keys * inputs.assumed("key_requests"))
    yield line("Secrets Manager", "secrets", "secret", _secrets(template))


def _database(template: Template, inputs: Inputs) -> Iterator[Line]:
    line, classes = Line.maker(inputs), [instance["DBInstanceClass"] for instance in _all(template, "AWS::DocDB::DBInstance")]
    for kind in sorted(set(classes)):
        hours = classes.count(kind) * inputs.assumed("hours")
        yield line("DocumentDB", f"instances, {kind}", f"documentdb.{kind.removeprefix('db.')}", hours)
    if classes:
        yield line("DocumentDB", "storage", "documentdb_gb_month", inputs.assumed("documentdb_gb"))


def _tasks(template: Template, inputs: Inputs) -> Iterator[Line]:
    line, hours = Line.maker(inputs), inputs.assumed("hours")
    for service in _all(template, "AWS::ECS::Service"):
        task = template["Resources"][service["TaskDefinition"]["Ref"]]["Properties"]
        architecture = task["RuntimePlatform"]["CpuArchitecture"].lower()
        count, cpu, memory = int(service["DesiredCount"]), int(task["Cpu"]) / 1024, int(task["Memory"]) / 1024
        yield line("Fargate", "tasks, their CPU", f"fargate_vcpu.{architecture}", count * cpu * hours)
        yield line("Fargate", "tasks, their memory", f"fargate_gb.{architecture}", count * memory * hours)


def _watching(template: Template, environment: Environment, inputs: Inputs) -> Iterator[Line]:
    """Alarms, dashboards, custom metrics, and the log that the figures are written in."""
    line = Line.maker(inputs)
    metrics = sum(_metrics_of(alarm) for alarm in _all(template, "AWS::CloudWatch::Alarm"))
    yield line("CloudWatch", "metrics that alarms watch", "alarm", metrics)
    yield line("CloudWatch", "dashboards", "dashboard", _count(template, "AWS::CloudWatch::Dashboard"))
    yield line("CloudWatch", "metrics of your own", "metric", _figures(environment))
    if environment.watches:
        tasks, streams = len(environment.streams) + environment.tailer.spares, len(environment.streams)
        minutes = inputs.assumed("hours") * HOUR / MINUTE
        logged = tasks * (streams + 1) * minutes * inputs.assumed("figures_bytes")  # each task has a line for each stream
        yield line("CloudWatch", "figures in the tailer's log", "log_gb", logged / GB)


def _figures(environment: Environment) -> int:
    """Metrics are billed by name and stream. Whoever sends to the messaging part alone is a stream as well."""
    of_task = sum(not figure.per_stream for figure in TAILER.values())
    streams, tables = len(environment.streams), len(environment.forwarder.dynamodb_streams)
    forwarded = (streams or 1) + tables
    return forwarded * len(FORWARDER) + (streams * (len(TAILER) - of_task) + of_task if environment.watches else 0)


def _state(environment: Environment, inputs: Inputs) -> Iterator[Line]:
    """What the leases write and read, were changes to flow at every hour of the month."""
    line, seconds = Line.maker(inputs), inputs.assumed("hours") * HOUR
    if environment.watches:
        streams = len(environment.streams)
        looks = streams * environment.tailer.spares * inputs.assumed("looks_per_second")
        writes = streams * inputs.assumed("saves_per_second")
        yield line("DynamoDB", "checkpoints saved", "dynamodb_write", writes * seconds)
        yield line("DynamoDB", "leases looked at by spare tasks", "dynamodb_read", looks * seconds)


def _functions(environment: Environment, inputs: Inputs) -> Iterator[Line]:
    line, seconds = Line.maker(inputs), inputs.assumed("hours") * HOUR
    yield line(
        "SQS", "Lambda's polls while the queue is empty", "sqs_request", seconds * inputs.assumed("idle_polls_per_second")
    )
    if minutes := environment.forwarder.redrive_minutes:
        runs = seconds / MINUTE / minutes
        memory = environment.forwarder.memory / 1024
        yield line(
            "Lambda", "redrive that finds nothing", "lambda_gb_second", runs * inputs.assumed("redrive_seconds") * memory
        )


def _metrics_of(alarm: Properties) -> int:
    """An alarm is billed by the metrics it looks at."""
    return sum("MetricStat" in query for query in alarm["Metrics"]) if "Metrics" in alarm else 1


def _secrets(template: Template) -> int:
    """Those of the template, and those that DocumentDB makes and keeps for its administrators."""
    managed = sum(bool(cluster.get("ManageMasterUserPassword")) for cluster in _all(template, "AWS::DocDB::DBCluster"))
    return _count(template, "AWS::SecretsManager::Secret") + managed


def _count(template: Template, kind: str) -> int:
    return len(list(_all(template, kind)))


def _all(template: Template, kind: str) -> Iterator[Properties]:
    return (one.get("Properties", {}) for one in template["Resources"].values() if one["Type"] == kind)
