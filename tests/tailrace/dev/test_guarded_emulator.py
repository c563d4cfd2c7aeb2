"""The emulator runs code for everyone who may create a function, so it accepts only this run's own clients."""

import http.client
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from devstack import DevStack
from tailrace.dev.aws import Aws
from tailrace.dev.emulator import Emulator
from tailrace.dev.guarded_emulator import READY, refusal
from tailrace.dev.workspace import Workspace

KEY = "LOCAL0123"
HOSTS = frozenset({"127.0.0.1", "localhost"})
OURS = {"host": "127.0.0.1:4566", "authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/eu-west-1/sqs/aws4_request, x"}


def refused(headers: dict[str, str], path: str = "/", query: str = "") -> str:
    scope = {
        "type": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    return refusal(scope, {KEY}, HOSTS)


@pytest.mark.parametrize(
    ("headers", "path", "query"),
    [
        (OURS, "/", ""),
        (OURS | {"host": "localhost:4566"}, "/", ""),
        ({"host": "127.0.0.1:4566"}, READY, ""),
        ({"host": "127.0.0.1:4566"}, "/bucket/key", f"X-Amz-Credential={KEY}%2F20260101%2Feu-west-1%2Fs3%2Faws4_request"),
        (OURS | {"authorization": "AWS4-HMAC-SHA256 Credential=000000000000/x", "x-amz-security-token": KEY}, "/", ""),
    ],
    ids=["key", "localhost", "ready", "presigned", "function"],
)
def test_own_clients_are_accepted(headers: dict[str, str], path: str, query: str) -> None:
    """With the run's key, signed or presigned, or a function's session token. The health page is open on this machine."""
    assert refused(headers, path, query) == ""


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        (OURS | {"origin": "https://evil.example"}, "/"),
        (OURS | {"origin": "null"}, "/"),
        (OURS | {"origin": "http://127.0.0.1:4566"}, "/"),
        ({"host": "127.0.0.1:4566", "origin": "https://evil.example"}, READY),
        (OURS | {"host": "evil.example:4566"}, "/"),
        (OURS | {"host": "127.0.0.1.evil.example:4566"}, "/"),
        ({"authorization": OURS["authorization"]}, "/"),
        ({"host": "evil.example"}, READY),
        (OURS | {"authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/sqs/aws4_request"}, "/"),
        (OURS | {"authorization": "AWS4-HMAC-SHA256 Credential=000000000000/20260101/x"}, "/"),
        (OURS | {"authorization": f"Basic {KEY}"}, "/"),
        ({"host": "127.0.0.1:4566"}, "/"),
        ({"host": "127.0.0.1:4566"}, "/_ministack/reset"),
        ({"host": "127.0.0.1:4566"}, f"{READY}/../reset"),
    ],
)
def test_other_clients_are_refused(headers: dict[str, str], path: str) -> None:
    """A page of any origin, a name that resolves to this machine, another key or none: each has a reason."""
    assert refused(headers, path)


def test_browser_cannot_create_a_function(stack: DevStack) -> None:
    """The emulator refuses a browser's request, and its response allows no page to read it."""
    where = urlsplit(stack.aws.endpoint_url)
    for method in ("OPTIONS", "POST"):
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        headers = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
        connection.request(method, "/2015-03-31/functions", b"{}", headers)
        response = connection.getresponse()
        assert response.status == 403
        assert not [name for name, _ in response.getheaders() if name.lower().startswith("access-control")]
        connection.close()


@pytest.mark.parametrize("key", ["test", "000000000000"])
def test_other_access_key_is_refused(stack: DevStack, key: str) -> None:
    """Neither a common key nor the account's number."""
    foreign = Aws(stack.aws.endpoint_url, key)
    with pytest.raises(ClientError, match="403"):
        foreign("sqs").list_queues()
    foreign.close()


def test_each_run_has_its_own_key() -> None:
    with Workspace() as workspace:
        assert Emulator(workspace).key != Emulator(workspace).key
