"""The emulator runs code for whoever may create a function: it lets in this run's own clients, and nobody else."""

import http.client
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from devstack import DevStack
from devstack.aws import Aws
from devstack.emulator import Emulator
from devstack.guarded_emulator import READY, refusal
from devstack.workspace import Workspace

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
def test_our_own_clients_are_let_in(headers: dict[str, str], path: str, query: str) -> None:
    """By the run's key, signed or presigned; a function by its session token; anybody on this machine may ask if it runs."""
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
def test_everybody_else_is_refused(headers: dict[str, str], path: str) -> None:
    """A page of any origin, a name that was pointed at this machine, another key or none: each has its reason."""
    assert refused(headers, path)


def test_a_page_cannot_make_a_function(stack: DevStack) -> None:
    """What a browser would send is refused by the running emulator, and the answer tells no page that it may read it."""
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
def test_another_access_key_opens_nothing(stack: DevStack, key: str) -> None:
    """Neither a name that everybody tries nor the account's number."""
    foreign = Aws(stack.aws.endpoint_url, key)
    with pytest.raises(ClientError, match="403"):
        foreign("sqs").list_queues()
    foreign.close()


def test_each_run_has_a_key_of_its_own() -> None:
    """Who learned one of yesterday has none of today."""
    with Workspace() as workspace:
        assert Emulator(workspace).key != Emulator(workspace).key
