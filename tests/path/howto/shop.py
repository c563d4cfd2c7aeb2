"""The system of the pages, and a terminal that is set up for it as the runbook says."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack import DevStack
from tailer.settings.named_stream import Stream
from tailer.settings.streams_toml import toml
from tailrace.dev.aws import Aws, arn
from tailrace.dev.consumer import Consumer
from tailrace.dev.function import deploy
from tailrace.dev.resources import TABLE, event_bus, queue, queue_of_a_rule, rule
from tailrace.project import Project
from tests.howto.page import Page
from tests.page_files import PAGES, write_files
from tests.tailrace.packaging import shop

BUS = "tailrace-shop"
EVENTS = "shop-events"  # the rule, and the consumer's queue
QUEUE = "shop.fifo"
MODULES = {"events": "existing-data", "instalments": "outbox", "customers": "personal-data"}  # and their pages
MAPPERS = f"""
import {", ".join(MODULES)}

MAPPERS = {{{", ".join(f"**{name}.MAPPERS" for name in MODULES)}}}
"""
PROJECT = f"""
mappers = "pages:MAPPERS"
sources = ["pages.py", {", ".join(f'"{name}.py"' for name in MODULES)}]

[[streams]]
name = "everything"
database = "*"
"""
[SHELL] = re.findall(r"^```bash\n(.*?)^```", (PAGES / "operations/runbook.md").read_text(), re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A forwarder with the mappers of all pages, between a queue and a bus of its own."""

    stack: DevStack
    queue_url: str
    consumer: Consumer

    def settings(self, *streams: Stream) -> dict[str, str]:
        """Return the settings of a tailer for these streams, as environment variables."""
        return self.stack.tailer_settings | {"TAILER_CONFIG_TOML": toml(streams), "TAILER_QUEUE_URL": self.queue_url}

    def parked(self) -> str:
        """Return the bodies of parked changes, and leave them in the queue."""
        parking = self.stack.resources.parking_url
        found = self.stack.aws("sqs").receive_message(QueueUrl=parking, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return "\n".join(message["Body"] for message in found.get("Messages", []))

    def has(self, key: str) -> bool:
        """Whether the state table has an item of this key."""
        return "Item" in self.stack.aws("dynamodb").get_item(TableName=TABLE, Key={"pk": {"S": key}})

    @contextmanager
    def tailing(self, stream: Stream) -> Iterator[None]:
        """Run a tailer of the stream until the block ends, and stop it cleanly."""
        tailer = self.stack.run_tailer(self.settings(stream))
        tailer.wait_ready()
        yield
        assert tailer.stop() == 0

    def open_terminal(self, page: Page, project: Project) -> None:
        """
        Give the page's terminal the functions of the runbook. ``aws`` calls the emulator. ``tailer`` runs here, where the
        function of the runbook would run it as a task. The streams of the project start anew.
        """
        page.program("aws", f'#!/bin/sh\nexec "{sys.executable}" -P -m tests.aws_command "$@"\n')
        for stream in project.streams:
            self.stack.aws("dynamodb").delete_item(TableName=TABLE, Key={"pk": {"S": f"stream/{stream.name}"}})
        uri = {"MONGODB_URI": self.stack.mongodb_uri, "ENVIRONMENT": "shop"}
        page.variables |= self.stack.aws.environment | self.settings(*project.streams) | uri
        page.bash(f"{SHELL}\nENVIRONMENT=shop\nunset -f tailer")


def started(stack: DevStack, folder: Path) -> Shop:
    """Deploy the forwarder, its bus and its consumer."""
    for page in MODULES.values():
        write_files(f"how-to/{page}.md", folder)
    shop.write(folder, pages_py=MAPPERS, tailrace_toml=PROJECT, events_py=(folder / "events.py").read_text())
    aws = stack.aws
    queue_url = queue(aws, QUEUE, _attributes(stack))
    event_bus(aws, BUS)
    events_url = queue_of_a_rule(aws, EVENTS, bus=BUS, rule=EVENTS)
    rule(aws, EVENTS, bus=BUS, pattern={"source": [{"prefix": "app."}]}, target={"Id": EVENTS, "Arn": arn("sqs", EVENTS)})
    settings = stack.resources.forwarder_settings(BUS) | {
        "FORWARDER_MAPPERS": "pages:MAPPERS",
        "FORWARDER_STREAMS": "orders,outbox",
    }
    deploy(aws, shop.built(folder).path, arn("sqs", QUEUE), settings)
    _stack(aws, stack)
    return Shop(stack=stack, queue_url=queue_url, consumer=Consumer(aws("sqs"), events_url))


def _attributes(stack: DevStack) -> dict[str, str]:
    """Return the attributes of the stack's queue, but for those that SQS computes."""
    found = stack.aws("sqs").get_queue_attributes(QueueUrl=stack.resources.queue_url, AttributeNames=["All"])["Attributes"]
    kept = ("Fifo", "Dedup", "MaximumMessageSize", "MessageRetention", "RedrivePolicy", "Sqs", "VisibilityTimeout")
    return {name: value for name, value in found.items() if name.startswith(kept)}


def _stack(aws: Aws, stack: DevStack) -> None:
    """Create a service without tasks, and a stack with the outputs that the runbook's shell reads."""
    ecs, resources = aws("ecs"), stack.resources
    ecs.create_cluster(clusterName="shop")
    ecs.create_service(cluster="shop", serviceName="shop", taskDefinition="shop", desiredCount=0)
    outputs = {
        "ClusterName": "shop",
        "ServiceName": "shop",
        "EventBusArn": arn("events", f"event-bus/{BUS}"),
        "StateTable": TABLE,
        "ClaimBucket": resources.claim_bucket,
        "ParkingQueueUrl": resources.parking_url,
        "DeadLetterQueueUrl": resources.dead_letters_url,
    }
    template: dict[str, Any] = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    aws("cloudformation").create_stack(StackName="tailrace-shop", TemplateBody=json.dumps(template))
