"""The order store: a REST service whose only dependency is its table. Whether a bus responds does not matter to it."""

import json
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from boto3.dynamodb.types import TypeSerializer

call = build_opener(ProxyHandler({})).open  # between two processes of one machine there is no proxy


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None: ...


def serve(respond: Callable[[dict[str, Any], bytes], tuple[str, bytes]]) -> WSGIServer:
    """Serve on a free port of 127.0.0.1 until ``shutdown``. ``respond`` returns a status and a body."""

    def application(environ: dict[str, Any], start: Callable[..., object]) -> list[bytes]:
        status, body = respond(environ, environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start(status, [("Content-Length", str(len(body)))])
        return [body]

    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


def order_store(dynamodb: Any) -> WSGIServer:
    """``PUT /orders/ID`` stores a JSON object."""
    attribute_value = TypeSerializer().serialize

    def put(environ: dict[str, Any], body: bytes) -> tuple[str, bytes]:
        order = json.loads(body, parse_float=Decimal) | {"orderId": environ["PATH_INFO"].rpartition("/")[2]}
        dynamodb.put_item(TableName="razors-orders", Item={name: attribute_value(value) for name, value in order.items()})
        return "200 OK", b""

    return serve(put)


class Gate:
    """The way to the bus at ``endpoint``. While it is ``closed``, every call is ``refused`` with 503."""

    def __init__(self) -> None:
        self.endpoint, self.closed, self.refused = "", False, 0
        self.url = f"http://127.0.0.1:{serve(self._respond).server_port}"

    def _respond(self, environ: dict[str, Any], body: bytes) -> tuple[str, bytes]:
        if self.closed:
            self.refused += 1
            return "503 Service Unavailable", b""
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        request = Request(self.endpoint + environ["PATH_INFO"], body, headers | {"Content-Type": environ["CONTENT_TYPE"]})
        with call(request, timeout=30) as response:
            return "200 OK", response.read()
