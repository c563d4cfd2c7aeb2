"""The HTTP endpoints of a task: health, readiness and metrics."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tailer.errors import Misconfigured
from tailer.health import server as http_server
from tailer.health.health import Health
from tailer.health.http import endpoints
from tailer.health.progress import STALLED_AFTER
from tailer.health.server import CONNECTIONS, HEAD_LIMIT
from tailer.metrics.prometheus import Families, Metrics
from tailer.model import Batch
from tailrace.dev.loopback import HOST, free_port, get
from tests.conformance.checkpoint_store import Clock
from tests.eventually import eventually
from tests.samples.changes import ORIGIN, a_change, a_checkpoint

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
IDLE = Batch(changes=(), checkpoint=a_checkpoint(NOW))


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = 0.0
    return clock


@pytest.fixture
def metrics() -> Families:
    return Families()


@pytest.fixture
def health(metrics: Families, clock: Clock) -> Health:
    health = Health(clock=clock, now=lambda: NOW + timedelta(seconds=clock.now))
    health.lease_acquired(Metrics("payments", metrics))
    return health


@pytest.fixture
def port(health: Health, metrics: Families) -> Iterator[int]:
    port = free_port()
    with endpoints(HOST, port, health, metrics):
        yield port


def test_starting_task_is_healthy_but_not_ready(port: int) -> None:
    """The container is not killed while it connects, and a deployment waits for it."""
    assert get(port, "/healthz") == (200, "opening the stream, ? s behind\n")
    assert get(port, "/readyz")[0] == 503


def test_tailing_task_is_ready(port: int, health: Health) -> None:
    health.delivered(IDLE)
    assert get(port, "/readyz") == (200, "tailing, 0.0 s behind\n")


def test_unsaved_checkpoint_makes_a_task_not_ready_but_healthy(port: int, health: Health, metrics: Families) -> None:
    """The stream continues. The task is ready again once the checkpoint is saved."""
    reasons = iter(["TAILER_CHECKPOINTS: state.internal is throttled"] * 2)
    health.lease_acquired(Metrics("orders", metrics), save_failure=lambda: next(reasons, ""))
    health.delivered(IDLE)
    status, text = get(port, "/readyz")
    assert status == 503
    assert text.startswith("tailing; waiting to save the checkpoint, ")
    assert get(port, "/readyz")[0] == 200
    assert get(port, "/healthz")[0] == 200


def test_task_without_progress_is_unhealthy(port: int, health: Health, clock: Clock) -> None:
    """Whatever it waits for."""
    health.delivered(IDLE)
    health.waiting("MongoDB: nobody answers")
    clock.now += STALLED_AFTER - 1
    assert get(port, "/healthz")[0] == 200
    clock.now += 1
    assert get(port, "/healthz") == (503, f"waiting for the database, {STALLED_AFTER:.1f} s behind\n")


HOST_OF_OURS = "db-7.internal.example"
FAILURES = {
    f"MongoDB: {HOST_OF_OURS}:27017: connection refused": "the database",
    f"TAILER_CHECKPOINTS: {HOST_OF_OURS}: nobody answers": "the checkpoint store",
    f"TAILER_QUEUE_URL: https://{HOST_OF_OURS}/changes.fifo is throttled": "the queue",
    f"TAILER_CLAIM_BUCKET: {HOST_OF_OURS} is throttled": "the claim bucket",
}


@pytest.mark.parametrize(("failure", "neighbour"), FAILURES.items())
def test_endpoints_reveal_no_host_name(port: int, health: Health, metrics: Families, failure: str, neighbour: str) -> None:
    """They need no authentication. They name the service that is waited for; its host is only in the log."""
    health.lease_acquired(Metrics("orders", metrics), save_failure=lambda: failure)
    health.waiting(failure)
    for page in ("/healthz", "/readyz", "/metrics"):
        with suppress(HTTPError), urlopen(f"http://{HOST}:{port}{page}") as response:
            assert HOST_OF_OURS not in f"{response.headers}{response.read().decode()}"
    assert get(port, "/readyz") == (503, f"waiting for {neighbour}; waiting to save the checkpoint, ? s behind\n")
    assert HOST_OF_OURS not in get(port, "/healthz")[1]


def test_standby_is_healthy_and_not_ready(port: int, health: Health) -> None:
    health.standing_by()
    assert get(port, "/healthz")[0] == 200
    assert get(port, "/readyz")[0] == 503


def test_lag_is_unknown_when_the_checkpoint_store_is_down(port: int, health: Health, metrics: Families) -> None:
    """Zero would be wrong in an outage."""
    health.lease_released()
    health.add(Metrics("orders", metrics))
    health.waiting("TAILER_CHECKPOINTS: state: nobody answers")
    assert get(port, "/readyz") == (503, "waiting for the checkpoint store, ? s behind\n")
    assert 'tailrace_lag_seconds{stream="orders"} NaN' in get(port, "/metrics")[1]


def test_lag_is_the_age_of_the_position(health: Health, clock: Clock) -> None:
    """A backlog shows as lag although batches arrive. An idle stream lags behind by the age of its last token."""
    clock.now = 0
    health.delivered(Batch(changes=[a_change()], checkpoint=a_checkpoint(NOW - timedelta(seconds=60))))
    assert health.lag() == 60
    health.delivered(IDLE)
    assert health.lag() == 0
    clock.now = 5
    assert health.lag() == 5


def test_lag_of_a_stopped_stream_grows_and_it_is_named(port: int, health: Health, metrics: Families, clock: Clock) -> None:
    """The alarm on lag fires, while the task stays healthy for its other streams."""
    clock.now = 60
    health.gave_up("orders", Metrics("orders", metrics), a_checkpoint(NOW))
    assert 'tailrace_lag_seconds{stream="orders"} 60.0' in get(port, "/metrics")[1]
    assert get(port, "/healthz") == (200, "opening the stream, ? s behind; stopped, see tailer status: orders\n")


def test_lag_of_a_new_owner_is_the_age_of_the_checkpoint(health: Health, metrics: Families, clock: Clock) -> None:
    """Also while the stream cannot be opened."""
    clock.now = 60
    health.lease_acquired(Metrics("orders", metrics), a_checkpoint(NOW))
    assert health.lag() == 60


def test_metrics_are_printed_for_prometheus(port: int, health: Health) -> None:
    health.delivered(Batch(changes=[a_change(), a_change(2)], checkpoint=ORIGIN))
    status, text = get(port, "/metrics")
    assert status == 200
    assert 'tailrace_changes_read_total{stream="payments"} 2.0' in text
    assert 'tailrace_lease_owner{stream="payments"} 1.0' in text
    health.lease_released()
    assert 'tailrace_lease_owner{stream="payments"} 0.0' in get(port, "/metrics")[1]


def test_condition_header_has_one_word_for_programs(port: int, health: Health, metrics: Families) -> None:
    """No header names the version of Python."""

    def said() -> tuple[str | None, str | None]:
        with urlopen(f"http://{HOST}:{port}/healthz") as response:
            return response.headers["Tailrace-Condition"], response.headers["Server"].strip()

    assert said() == ("busy", "Tailrace")
    health.delivered(IDLE)
    assert said() == ("tailing", "Tailrace")
    health.standing_by()
    assert said() == ("standing by", "Tailrace")
    health.gave_up("orders", Metrics("orders", metrics), a_checkpoint(NOW))
    assert said() == ("gave up", "Tailrace")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/nothing", "/healthz?a=b"])
def test_head_equals_get_without_its_body(port: int, health: Health, path: str) -> None:
    """Some load balancers send HEAD."""

    def response(method: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        connection.request(method, path)
        response = connection.getresponse()
        headers = {name: value for name, value in response.getheaders() if name != "Date"}
        body = response.read()
        connection.close()
        return response.status, headers, body

    health.delivered(IDLE)
    status, headers, body = response("GET")
    assert len(body) == int(headers["Content-Length"]) > 0
    assert response("HEAD") == (status, headers, b"")


@pytest.mark.parametrize("sent", [b"", b"GET /healthz", b"GET /healthz HTTP/1.0\r\nHost: a\r\nX: "])
def test_idle_connections_do_not_block_health(port: int, sent: bytes) -> None:
    """However many are silent or slow, and the number of threads is bounded."""
    before = threading.active_count()
    with ExitStack() as open_ones:
        for _ in range(250):
            connection = open_ones.enter_context(socket.create_connection((HOST, port)))
            connection.sendall(sent)
        assert get(port, "/healthz")[0] == 200
        assert eventually(lambda: threading.active_count() - before <= CONNECTIONS)


def test_connection_ends_after_a_few_seconds(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the client sends single bytes or never reads the response."""
    monkeypatch.setattr(http_server, "SECONDS", 0.3)
    before = threading.active_count()
    with socket.create_connection((HOST, port)) as slow, socket.create_connection((HOST, port)) as silent:
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            send_slowly(slow)
        silent.settimeout(10)
        assert silent.recv(1) == b""
        assert eventually(lambda: threading.active_count() <= before)


def test_request_head_is_bounded(port: int) -> None:
    with socket.create_connection((HOST, port)) as connection, connection.makefile("rb") as response:
        connection.sendall(b"GET /healthz HTTP/1.0\r\nX: ")
        connection.sendall(b"x" * (HEAD_LIMIT - 26))
        assert response.readline().split()[1] == b"200"


def send_slowly(connection: socket.socket) -> None:
    """Send single bytes of a request for ever."""
    while True:
        connection.sendall(b"G")
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("request_line", "status", "words"),
    [
        ("GET / HTTP/1.0", 404, "there are /healthz, /readyz and /metrics"),
        ("GET /<b>secret</b> HTTP/1.1", 404, "there are /healthz, /readyz and /metrics"),
        ("HEAD /secret HTTP/1.0", 404, None),
        ("POST /healthz HTTP/1.1", 405, "Method Not Allowed"),
        ("secret /healthz HTTP/1.0", 405, "Method Not Allowed"),
        ("GET /healthz HTTP/9.0", 505, "HTTP Version Not Supported"),
        ("GET /healthz secret/1.0", 400, "Bad Request"),
        ("secret", 400, "Bad Request"),
        ("GET /healthz HTTP/1.0\r\n" + "X: secret\r\n" * 101, 431, "Request Header Fields Too Large"),
        ("GET /metrics HTTP/1.0", 500, "see the log"),
    ],
)
def test_http_error_is_json_and_repeats_nothing_of_the_request(
    port: int, metrics: Families, monkeypatch: pytest.MonkeyPatch, request_line: str, status: int, words: str | None
) -> None:
    monkeypatch.setattr(metrics, "text", lambda: 1 / 0)
    with socket.create_connection((HOST, port)) as connection, connection.makefile("rb") as stream:
        connection.sendall(f"{request_line}\r\n\r\n".encode())
        head, _, body = stream.read().decode().partition("\r\n\r\n")
    first, *headers = head.split("\r\n")
    assert first.split()[1] == str(status)
    assert "Content-Type: application/json" in headers
    assert ("Allow: GET, HEAD" in headers) == (status == 405)
    assert (json.loads(body) if body else None) == (words and {"status": status, "error": words})
    assert "secret" not in head + body


def test_port_in_use_is_a_wrong_setting(port: int, health: Health, metrics: Families) -> None:
    with (
        pytest.raises(Misconfigured, match=f"TAILER_HTTP_PORT: cannot listen on {HOST}:{port}"),
        endpoints(HOST, port, health, metrics),
    ):
        pass
