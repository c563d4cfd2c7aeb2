"""
The formula of ``docs/operations/costs.md``: the fixed costs of an environment for a month, and the variable costs of changes.

    python -P -m infra.pages.costs ENVIRONMENT...     print the page's table for these
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from infra.environment_files import named
from infra.package import REPOSITORY
from infra.pages.tables import replaced, table
from tailrace.metrics import FORWARDER, TAILER
from tailrace.text.legible import legible
from tailrace_cdk.config import Environment, Misconfigured, load
from tailrace_cdk.synthesis.synthesis import template

PAGE = REPOSITORY / "docs" / "operations" / "costs.md"
HOURS, SECONDS = 730, 730 * 3_600  # of a month
PRICES = {  # US dollars in us-east-1, November 2026; "?": no source was found, look it up before you rely on it
    "sqs_request": 0.50e-6,  # 64 KB, FIFO; cloudburn.io
    "lambda_request": 0.20e-6,  # cloudchipr.com
    "lambda_gb_second": 13.3334e-6,  # arm64; cloudchipr.com
    "event": 1.00e-6,  # 64 KB, and again for each consumer's bus; cloudburn.io. "?" of an ordered bus: taken to be the same
    "archive_gb": 0.10,  # put into an archive; cloudburn.io
    "archive_gb_month": 0.023,
    "dynamodb_write": 0.625e-6,  # 1 KB, on demand; airbyte.com
    "dynamodb_read": 0.125e-6,  # 4 KB, consistent, on demand; airbyte.com
    "log_gb": 0.50,  # factualminds.com
    "metric": 0.30,  # of one's own, a month; signoz.io
    "alarm": 0.10,  # for each metric it looks at, a month; c3x.dev
    "dashboard": 3.00,  # a month; factualminds.com
    "documentdb.t4g.medium": 0.0757,  # "?", an hour
    "documentdb.r6g.large": 0.263,  # "?", an hour
    "documentdb.r8g.large": 0.279,  # "?", an hour: taken to be 6 % above r6g.large
    "documentdb_io": 0.20e-6,  # usage.ai
    "documentdb_gb": 0.10,  # a month; usage.ai
    "fargate_vcpu.arm64": 0.03238,  # an hour, as the next three; vantage.sh
    "fargate_gb.arm64": 0.00356,
    "fargate_vcpu.x86_64": 0.04048,
    "fargate_gb.x86_64": 0.004445,
    "endpoint": 0.01,  # in each zone; zacfukuda.com
    "endpoint_gb": 0.01,
    "nat": 0.045 + 0.005,  # with its public address
    "nat_gb": 0.045,
    "key": 1.00 + 100_000 * 3.00e-6,  # a month, with its requests: SQS and S3 keep a data key for minutes; cloudburn.io
    "secret": 0.40,  # a month; hivebook.wiki
}
PACKINGS = {  # changes per message, messages per send and per receive, requests billed for a call, message bytes per change
    "alone": (1, 1, 1, 1, 1_879),
    "unpacked": (1, 1, 10, 1, 2_066),
    "packed": (2_500 / 128, 10, 10, 2, 604),  # a full batch of the tailer, in a stream's 128 lanes
}
Line = tuple[str, str, float]
"""A service, the name of a price, and how many units are used."""


def fixed(made: Mapping[str, Any], environment: Environment) -> Iterator[Line]:
    """Return the costs of a month without a change, from the template of an environment."""
    streams = len(environment.streams) if environment.watches else 0
    for instance in _all(made, "AWS::DocDB::DBInstance"):
        yield "DocumentDB", f"documentdb.{instance['DBInstanceClass'].removeprefix('db.')}", HOURS
    for cluster in _all(made, "AWS::DocDB::DBCluster"):
        yield "DocumentDB", "documentdb_gb", 10
        yield "Secrets Manager", "secret", bool(cluster.get("ManageMasterUserPassword"))
    for service in _all(made, "AWS::ECS::Service"):
        task, tasks = made["Resources"][service["TaskDefinition"]["Ref"]]["Properties"], service["DesiredCount"]
        architecture = task["RuntimePlatform"]["CpuArchitecture"].lower()
        yield "Fargate", f"fargate_vcpu.{architecture}", tasks * int(task["Cpu"]) / 1024 * HOURS
        yield "Fargate", f"fargate_gb.{architecture}", tasks * int(task["Memory"]) / 1024 * HOURS
        yield "CloudWatch", "log_gb", tasks * (streams + 1) * HOURS * 60 * 1_500e-9  # a line of metrics a minute and stream
    for endpoint in _all(made, "AWS::EC2::VPCEndpoint"):
        yield "VPC", "endpoint", len(endpoint.get("SubnetIds", ())) * HOURS  # a gateway endpoint has no subnets
    yield "VPC", "nat", len(_all(made, "AWS::EC2::NatGateway")) * HOURS
    for alarm in _all(made, "AWS::CloudWatch::Alarm"):
        yield "CloudWatch", "alarm", sum("MetricStat" in one for one in alarm.get("Metrics", [{"MetricStat": {}}]))
    yield "CloudWatch", "dashboard", len(_all(made, "AWS::CloudWatch::Dashboard"))
    forwarded = max(len(environment.streams), 1) + len(environment.forwarder.dynamodb_streams)
    yield "CloudWatch", "metric", forwarded * len(FORWARDER)
    yield "CloudWatch", "metric", sum(streams if one.per_stream else bool(streams) for one in TAILER.values())
    yield "DynamoDB", "dynamodb_write", streams * SECONDS  # a checkpoint a second, as if changes always came
    yield (
        "DynamoDB",
        "dynamodb_read",
        streams * environment.tailer.standby_tasks * 2 * SECONDS,
    )  # a standby task reads each lease
    yield "SQS", "sqs_request", SECONDS / 4  # Lambda's five pollers of an idle queue, 20 seconds each
    yield "KMS", "key", len(_all(made, "AWS::KMS::Key"))
    yield "Secrets Manager", "secret", len(_all(made, "AWS::SecretsManager::Secret"))


def variable(packing: str, environment: Environment, changes: float) -> Iterator[Line]:
    """Return the costs of changes of 1.6 kB, each of which becomes one event of 600 bytes."""
    per_message, per_send, per_receive, requests, size = PACKINGS[packing]
    messages, gigabytes, bus = changes / per_message, changes * 600e-9, environment.bus
    receives = messages / per_receive
    yield "SQS", "sqs_request", (messages / per_send + receives) * requests + receives  # sent, received, deleted
    seconds = (receives + messages) * 0.010 + messages * 0.020 + changes * 0.0003  # DynamoDB, PutEvents, own work
    yield "Lambda", "lambda_request", receives
    yield "Lambda", "lambda_gb_second", seconds * environment.forwarder.memory / 1024
    yield "DynamoDB", "dynamodb_write", messages  # the watermark of a lane
    yield "DynamoDB", "dynamodb_read", messages
    if environment.forwarder.last_states:
        yield "DynamoDB", "dynamodb_write", changes  # the last state of a document, as if mappers declared fields of all
        yield "DynamoDB", "dynamodb_read", changes
    yield "EventBridge", "event", changes * (1 + len(bus.consumers))
    if bus.kind == "classic":
        yield "EventBridge", "archive_gb", gigabytes if bus.archive_days else 0
        yield "EventBridge", "archive_gb_month", gigabytes * bus.archive_days / 30
    yield "CloudWatch", "log_gb", receives * 1_000e-9
    if environment.watches and not environment.network.vpc_id:
        yield "VPC", "endpoint_gb" if environment.network.egress == "endpoints" else "nat_gb", changes * size / 1e9
    if environment.database:
        yield "DocumentDB", "documentdb_io", changes * 2  # the change log, written and read


def month(*names: str) -> str:
    """Return a table: a month of each environment by service, and the costs of a million changes."""
    environments = [load(named(name)) for name in names]
    bills = [list(fixed(template(environment), environment)) for environment in environments]
    services = [*dict.fromkeys(service for bill in bills for service, *_ in bill), ""]
    rows = [[service or "**without changes**", *(f"{dollars(bill, service):,.2f}" for bill in bills)] for service in services]
    for packing in PACKINGS:
        sums = [dollars(variable(packing, environment, 1_000_000)) for environment in environments]
        rows.append([f"a million changes more, {packing}", *(f"{usd:.2f}" for usd in sums)])
    return table(["USD a month", *names], rows)


def page() -> str:
    return replaced(PAGE.read_text(), "month", month("trial", "production"))


def dollars(lines: Iterable[Line], service: str = "") -> float:
    """Return the sum of all lines, or of the lines of one service, in US dollars."""
    return sum(_price(price) * units for of, price, units in lines if service in ("", of))


def _price(name: str) -> float:
    if name not in PRICES:
        raise Misconfigured(f"There is no price for {name}. Add it to PRICES in infra/pages/costs.py.")
    return PRICES[name]


def _all(made: Mapping[str, Any], kind: str) -> Sequence[Mapping[str, Any]]:
    return [one.get("Properties", {}) for one in made["Resources"].values() if one["Type"] == kind]


if __name__ == "__main__":
    try:
        print(month(*sys.argv[1:]))  # noqa: T201
    except Misconfigured as error:
        sys.exit(legible(str(error), lines=True))
