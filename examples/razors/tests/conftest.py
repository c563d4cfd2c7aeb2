"""The project on this machine, with the account of its domains."""

import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from razors.domains import Payments, Stock, Subscriptions
from razors.worker import Worker
from tailrace import DomainEvent
from tailrace.consuming import Event
from tailrace.testing.running_project import RunningProject

SECONDS = 130.0  # two turns of the redrive's schedule


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--wait", action="store_true", help="wait for the schedule of the redrive, a minute; do not invoke it")


class Gate(BaseHTTPRequestHandler):
    """The order store's way to its bus. While it is ``closed``, each call is ``refused``, as if the bus did not respond."""

    bus, closed, refused = "", False, 0

    def do_POST(self) -> None:
        request = Request(Gate.bus, self.rfile.read(int(self.headers["Content-Length"])), dict(self.headers))
        Gate.refused += Gate.closed
        response = b"" if Gate.closed else build_opener(ProxyHandler({})).open(request).read()
        self.send_response(200 if response else 503)
        self.end_headers()
        self.wfile.write(response)

    def log_message(self, *_: object) -> None: ...


class Razors:
    """The domains, a worker for each, and what is said on each bus."""

    def __init__(self, project: RunningProject) -> None:
        self.project, self.aws = project, project.aws
        Gate.bus, gate = self.aws("events").meta.endpoint_url, ThreadingHTTPServer(("127.0.0.1", 0), Gate)
        Thread(target=gate.serve_forever, daemon=True).start()
        self._deploy({"AWS_ENDPOINT_URL_EVENTBRIDGE": f"http://127.0.0.1:{gate.server_port}"})
        dynamodb, sqs = self.aws("dynamodb"), self.aws("sqs")
        self.subscriptions, self.stock, self.payments = Subscriptions(dynamodb), Stock(dynamodb), Payments(project.mongodb)
        names = ("subscriptions", "stock", "payments")
        self.workers = {name: Worker(sqs, f"razors-{name}", getattr(self, name).handle) for name in names}
        self._buses = {name: project.listen(f"razors-{name}") for name in ("subscriptions", "stock", "orders")}

    def _deploy(self, orders_settings: dict[str, str]) -> None:
        from razors.account import template  # here: the CDK takes seconds to start, and the tests of the mappers need none

        cloudformation = self.aws("cloudformation")
        self.aws("s3").create_bucket(Bucket="razors", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.aws("s3").upload_file(str(self.project.package), "razors", "razors.zip")
        body = template("razors", "razors.zip", orders_settings)
        cloudformation.create_stack(StackName="razors", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
        cloudformation.get_waiter("stack_create_complete").wait(StackName="razors", WaiterConfig={"Delay": 1})
        for name in ("subscriptions", "payments"):  # apart: the emulator's CloudFormation has no archives
            bus = self.aws("events").describe_event_bus(Name=f"razors-{name}")["Arn"]
            self.aws("events").create_archive(ArchiveName=name, EventSourceArn=bus)

    def hop(self, text: str, holds: Callable[[], object]) -> None:
        """Let the workers work until this holds, and show it."""
        deadline = time.monotonic() + SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"A HOP IS MISSING: {text}"
            for worker in self.workers.values():
                worker.work()
        print(f"  ok   {text}")  # noqa: T201

    def hear(self, bus: str, event: type[DomainEvent], **fields: object) -> Event[Any]:
        """Wait for an event on the bus of a domain, and show it."""
        heard = self._buses.get(bus, self.project).wait_for(event, seconds=SECONDS, **fields)
        print(f"  ok   {bus:<13} bus has {event.__name__} of {heard.document}")  # noqa: T201
        return heard


@pytest.fixture(scope="session")
def razors() -> Iterator[Razors]:
    with RunningProject(Path(__file__).parent, bus="razors-payments") as project:
        yield Razors(project)
