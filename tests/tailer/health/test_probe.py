"""The container's health check asks the tailer's own endpoint and prints at most one line."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tailer.health import probe
from tailer.health.health import Health
from tailer.health.http import endpoints
from tailer.health.progress import STALLED_AFTER
from tailer.metrics.prometheus import Families
from tailrace.dev.loopback import HOST, free_port
from tests.conformance.checkpoint_store import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def port(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a tailer, as in its settings."""
    port = free_port()
    monkeypatch.setenv("TAILER_HTTP_PORT", str(port))
    with endpoints(HOST, port, a_health(clock), Families()):
        yield port


def a_health(clock: Clock) -> Health:
    return Health(clock=clock, now=lambda: datetime(2026, 11, 22, tzinfo=UTC))


def ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probing:
            probing.bind(("::1", 0))
    except OSError:
        return False
    return True


IPV6 = pytest.mark.skipif(not ipv6(), reason="needs the loopback address ::1")


@pytest.mark.parametrize("host", ["", "0.0.0.0", HOST, pytest.param("::", marks=IPV6), pytest.param("::1", marks=IPV6)])
def test_moving_tailer_is_healthy(
    clock: Clock, host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On IPv4 and IPv6 addresses. Nothing is printed."""
    monkeypatch.setenv("TAILER_HTTP_HOST", host)
    monkeypatch.setenv("TAILER_HTTP_PORT", str(port := free_port()))
    with endpoints(host, port, a_health(clock), Families()):
        assert probe.main() == 0
    assert capsys.readouterr() == ("", "")


def test_stalled_tailer_is_unhealthy(port: int, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """The output is the tailer's own text, which the orchestrator keeps."""
    clock.now += STALLED_AFTER
    assert probe.main() == 1
    assert capsys.readouterr().err == "starting, ? s behind\n"


def test_port_without_response_is_unhealthy(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TAILER_HTTP_PORT", str(port := free_port()))
    assert probe.main() == 1
    assert f"no response on port {port}" in capsys.readouterr().err


def test_probe_passes_when_the_endpoint_is_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """With TAILER_HTTP_PORT=0 there is nothing to ask."""
    monkeypatch.setenv("TAILER_HTTP_PORT", "0")
    assert probe.main() == 0
