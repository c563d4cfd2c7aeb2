"""The order store: a REST service whose only dependency is its table. Whether a bus answers is nothing to it."""

import json
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from boto3.dynamodb.types import TypeSerializer


class OrderStore:
    """``with OrderStore(...)`` listens on 127.0.0.1: ``PUT /orders/ID`` stores a JSON object, ``DELETE`` removes it."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(dynamodb, table))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), name="order-store", daemon=True)

    @property
    def port(self) -> int:
        return self._http.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()


def _handler(dynamodb: Any, table: str) -> type[BaseHTTPRequestHandler]:
    attribute_values = TypeSerializer()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            order = json.loads(self.rfile.read(length), parse_float=Decimal) | {"orderId": self._order}
            dynamodb.put_item(TableName=table, Item={name: attribute_values.serialize(value) for name, value in order.items()})
            self._response(200)

        def do_DELETE(self) -> None:
            dynamodb.delete_item(TableName=table, Key={"orderId": {"S": self._order}})
            self._response(204)

        def log_message(self, *_: object) -> None:
            """Quiet."""

        @property
        def _order(self) -> str:
            return self.path.rpartition("/")[2]

        def _response(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler
