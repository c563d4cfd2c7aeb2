"""
A simulation of EventBridge's ordered bus, which no emulator has: the operations of ``eventbridgev2`` that publishing needs.

It uses the service's protocol (Smithy RPC v2, CBOR) with the shapes of botocore's service model. Where the model is silent, the
worst case is assumed: entries after a failed entry are accepted, and ``FailedEntryCount`` is absent on success.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from io import BufferedReader, BytesIO
from typing import Any, cast

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

from devstack.ordered_events import Failure, OrderedEvents
from tailrace.dev.loopback import HttpServer

SERVICE = "eventbridgev2"

MODEL = ServiceModel(Loader().load_service_model(SERVICE, "service-2"), SERVICE)

Fault = Callable[[Sequence[Mapping[str, Any]]], Mapping[int, str]]
"""Receives the entries of a call, and returns the error codes by position. Raises ``Failure`` for the whole call."""


class OrderedBusServer(HttpServer):
    """
    ``with OrderedBusServer() as server:`` listens on a free port. Each PutEvents uses one of ``faults``. The next ``lost``
    responses of successful calls are not sent. ``calls`` has the entries of each call.
    """

    def __init__(self) -> None:
        self.forget()
        self._lock = threading.Lock()
        super().__init__(_handler(self))

    def bus(self, name: str) -> str:
        """Create a bus; its ARN."""
        return str(self.events.create({"Name": name})["EventBusArn"])

    def forget(self) -> None:
        """Delete every bus, fault and call."""
        self.events = OrderedEvents()
        self.faults: deque[Fault] = deque()
        self.lost = 0
        self.calls: list[Sequence[Mapping[str, Any]]] = []

    def response(self, operation: str, body: bytes) -> tuple[int, bytes] | None:
        """Return status and body. None: the response is lost."""
        with self._lock:
            try:
                result = self._apply(operation, _decoded(body))
            except Failure as failure:
                return _error(failure)
            if operation == "PutEvents" and self.lost:
                self.lost -= 1
                return None
            return 200, _encoded(operation, result)

    def _apply(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        match operation:
            case "CreateEventBus":
                return self.events.create(request)
            case "DescribeEventBus":
                return self.events.describe(request)
            case "DeleteEventBus":
                return self.events.delete(request)
            case "PutEvents":
                entries: Sequence[Mapping[str, Any]] = request.get("Entries", ())
                self.calls.append(entries)
                failing = self.faults.popleft()(entries) if self.faults else {}
                return self.events.put(request, failing)
        raise Failure("InvalidInputException", f"this stand-in has no {operation}")


def failing(code: str, *positions: int) -> Fault:
    """The entries at these positions of a call fail."""
    return lambda _: dict.fromkeys(positions, code)


def failing_call(code: str) -> Fault:
    """The whole call fails."""

    def fault(_: Sequence[Mapping[str, Any]]) -> Mapping[int, str]:
        raise Failure(code, "fault of the test")

    return fault


def _handler(server: OrderedBusServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            response = server.response(self.path.rpartition("/")[2], body)
            if response is None:
                self.close_connection = True
                return
            status, content = response
            self.send_response(status)
            self.send_header("smithy-protocol", "rpc-v2-cbor")
            self.send_header("Content-Type", "application/cbor")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    return Handler


def _decoded(body: bytes) -> Mapping[str, Any]:
    """The request as plain values, read by botocore's parser for responses."""
    if not body:
        return {}
    return cast(Mapping[str, Any], RpcV2CBORParser().parse_data_item(BufferedReader(BytesIO(body))))


def _encoded(operation: str, result: Mapping[str, Any]) -> bytes:
    """The response in its shape, written by botocore's serializer for requests."""
    body = bytearray()
    RpcV2CBORSerializer()._serialize_data_item(body, result, MODEL.operation_model(operation).output_shape)
    return bytes(body)


def _error(failure: Failure) -> tuple[int, bytes]:
    shape = MODEL.shape_for(failure.code)
    body = bytearray()
    text = MODEL.shape_for("String")
    serializer = RpcV2CBORSerializer()
    body.extend(b"\xa2")  # CBOR, a map of two
    for value in ("__type", f"com.amazonaws.eventbridgev2#{failure.code}", "Message", str(failure)):
        serializer._serialize_data_item(body, value, text)
    return int(shape.metadata["error"]["httpStatusCode"]), bytes(body)
