"""The image of the functions starts on AWS's base image, and publishes the events of a message as Lambda sends it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import docker
import pytest
from msgspec.structs import replace
from testcontainers.core.container import DockerContainer

from devstack import DevStack
from devstack.stack import function_target
from tailrace.dev import resources as dev
from tailrace.dev.aws import arn
from tailrace.dev.consumer import Consumer
from tailrace.packaging import LAMBDA_PYTHON, package_of
from tailrace.project import load
from tailrace.wire.change import Namespace
from tests.docker.conftest import have
from tests.lambda_forwarder.values import body, inserted, record
from tests.tailrace.packaging import shop

BASE = f"public.ecr.aws/lambda/python:{LAMBDA_PYTHON}"
NEXT, RESPONSE = "/2018-06-01/runtime/invocation/next", "/2018-06-01/runtime/invocation/1/response"
INVOCATION = {
    "Content-Type": "application/json",
    "Lambda-Runtime-Aws-Request-Id": "1",
    "Lambda-Runtime-Invoked-Function-Arn": arn("lambda", "function:forwarder"),
}
SECONDS = 60
ORDER = replace(inserted(), ns=Namespace(db="shop", coll="orders"))


class RuntimeApi(ThreadingHTTPServer):
    """Lambda's side of the runtime interface: one invocation. ``response`` is what the function returned, with its path."""

    daemon_threads = True

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.event = json.dumps(event).encode()
        self.ended = threading.Event()
        self.response: tuple[str, Any] = ("", None)


class _Request(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        """Send the event. As from Lambda, there is no response to a request for another one."""
        if self.server.ended.is_set():
            threading.Event().wait()
        self._send(self.server.event)

    def do_POST(self) -> None:
        """Receive the response, or the error of a function that does not start."""
        self.server.response = self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.ended.set()
        self._send(b"{}")

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        deadline = str(int((time.time() + SECONDS) * 1000))
        for name, value in {**INVOCATION, "Lambda-Runtime-Deadline-Ms": deadline, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def runtime_api(event: dict[str, Any]) -> Iterator[RuntimeApi]:
    with RuntimeApi(event) as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        yield api
        api.shutdown()


@pytest.fixture(scope="module")
def functions_image(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image of a small project for this machine. Only the digest of the base is another one."""
    have(engine, BASE)
    folder = tmp_path_factory.mktemp("shop")
    project = load(shop.write(folder, tailrace_toml=f'base_image = "{shop.base_image(LAMBDA_PYTHON)}"\n{shop.PROJECT}'))
    _, platform = function_target()
    context = package_of(project, folder / "image", platform=platform, cache=shop.CACHE).path
    image, _ = engine.images.build(path=str(context), buildargs={"BASE": BASE}, rm=True)
    yield str(image.id)
    engine.images.remove(image.id, force=True)


def test_image_publishes_the_events_of_a_message(functions_image: str, stack: DevStack, fresh: str) -> None:
    """With the mappers of the project, on a read-only file system, and as a user who is not root."""
    dev.event_bus(stack.aws, fresh)
    events = queue_of(stack, fresh)
    settings = stack.resources.forwarder_settings(fresh) | {"FORWARDER_MAPPERS": "events:MAPPERS"}
    with runtime_api({"Records": [record(body(ORDER))]}) as api:
        function = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}", "AWS_LAMBDA_FUNCTION_NAME": "forwarder"}
        variables = stack.aws.environment | settings | function
        with DockerContainer(functions_image, env=variables, network_mode="host", read_only=True, user="993:990") as container:
            assert api.ended.wait(SECONDS), container.get_logs()
            assert api.response == (RESPONSE, {"batchItemFailures": []}), container.get_logs()
    [event] = Consumer(stack.aws("sqs"), events).receive_count(1, SECONDS)
    assert event.name == "OrderPlaced"


def queue_of(stack: DevStack, bus: str) -> str:
    """Return the URL of a queue that gets every event of the bus."""
    url = dev.queue_of_a_rule(stack.aws, bus, bus=bus, rule=bus)
    dev.rule(stack.aws, bus, bus=bus, pattern={"source": [{"prefix": ""}]}, target={"Id": bus, "Arn": arn("sqs", bus)})
    return url
