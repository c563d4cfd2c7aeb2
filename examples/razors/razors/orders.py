"""The order store: a REST service whose only dependency is its table. Whether a bus responds does not matter to it."""

import json
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from boto3.dynamodb.types import TypeSerializer

call = build_opener(ProxyHandler({})).open  # between two processes of one machine there is no proxy


class Server(ThreadingHTTPServer):
    """Serves on a free port of 127.0.0.1 until ``shutdown``. ``respond`` returns a status and a body."""

    def __init__(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                status, body = server.respond(self.path, sent, dict(self.headers))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT  # noqa: N815 - the name that http.server calls

            def log_message(self, *_: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def respond(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        raise NotImplementedError


class OrderStore(Server):
    """``PUT /orders/ID`` stores a JSON object."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        super().__init__()

    def respond(self, path: str, body: bytes, _: dict[str, str]) -> tuple[int, bytes]:
        order = json.loads(body, parse_float=Decimal) | {"orderId": path.rpartition("/")[2]}
        serialize = TypeSerializer().serialize
        self._dynamodb.put_item(TableName="razors-orders", Item={name: serialize(value) for name, value in order.items()})
        return 200, b""


class Gate(Server):
    """The way to the bus at ``endpoint``. While it is ``closed``, every call is ``refused`` with 503."""

    endpoint, closed, refused = "", False, 0

    def respond(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        if self.closed:
            self.refused += 1
            return 503, b""
        with call(Request(self.endpoint + path, body, headers), timeout=30) as response:
            return response.status, response.read()
