"""The port of the endpoints is free, a tailer's, or in use by another program."""

import socket
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tailer.checks import Finding, State
from tailer.health import checks as health_checks
from tailer.health.health import Health
from tailer.health.http import endpoints
from tailer.health.progress import STALLED_AFTER
from tailer.metrics.prometheus import Families, Metrics
from tailer.model import Batch
from tailrace.dev.loopback import HOST, free_port
from tests.conformance.checkpoint_store import Clock
from tests.samples.changes import ORIGIN


def test_port_is_free_or_a_tailers_or_in_use(health: Health) -> None:
    """Another program would keep a tailer from starting."""
    assert health_checks.port("127.0.0.1", 0).found == "none: TAILER_HTTP_PORT is 0"
    port = free_port()
    assert health_checks.port(HOST, port).state is State.OK
    with endpoints(HOST, port, health, Families()):
        health.standing_by()
        found = health_checks.port(HOST, port)
        assert found.state is State.OK
        assert "a tailer answers" in found.found
    with socket.create_server((HOST, 0)) as other:
        verdict = health_checks.port(HOST, other.getsockname()[1])
    assert (verdict.state, verdict.exit_code) == (State.FAIL, 2)


def test_silent_port_may_be_a_hung_tailer() -> None:
    """Another port would leave it running with its lease."""
    with socket.create_server((HOST, 0)) as hung:
        verdict = health_checks.port(HOST, hung.getsockname()[1])
    assert "does not respond" in verdict.found
    assert "a hung tailer" in verdict.found
    assert verdict.remedy.startswith("end a hung tailer")
    with HTTPServer((HOST, 0), TailerImpostor) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        assert "a program that is not a tailer" in health_checks.port(HOST, server.server_port).found
        server.shutdown()


class TailerImpostor(BaseHTTPRequestHandler):
    """Respond to everything with 200 and a tailer's text."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"tailing, 0.0 s behind\n")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_program_that_resembles_a_tailer_is_in_the_way() -> None:
    """A tailer is recognised by its header."""
    with HTTPServer((HOST, 0), TailerImpostor) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        assert health_checks.port(HOST, server.server_port).state is State.FAIL
        server.shutdown()


def test_tailer_that_does_not_tail_is_a_warning(health: Health, clock: Clock) -> None:
    """It starts, waits, stopped a stream or makes no progress: each with a remedy."""

    def at_the_port() -> Finding:
        return health_checks.port(HOST, port)

    port = free_port()
    with endpoints(HOST, port, health, Families()):
        starting = at_the_port()
        health.delivered(Batch(changes=(), checkpoint=ORIGIN))
        tailing = at_the_port()
        health.waiting("the database does not answer")
        waiting = at_the_port()
        health.waiting("standing by; stopped, see tailer status: payments")
        quoting = at_the_port()
        health.standing_by()
        health.gave_up("payments", Metrics("payments"), None)
        stopped = at_the_port()
        clock.now += STALLED_AFTER
        stalled = at_the_port()
    assert tailing.state is State.OK
    for verdict in (starting, waiting, quoting, stopped, stalled):
        assert verdict.state is State.WARN
        assert verdict.remedy
    assert quoting.remedy == waiting.remedy != stopped.remedy
    assert "waiting for the database" in waiting.found
    assert "makes no progress" in stalled.remedy


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock=clock, now=lambda: datetime(2026, 11, 22, 8, 0, tzinfo=UTC))
