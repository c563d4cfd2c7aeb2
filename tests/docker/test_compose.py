"""`docker compose up` is the demo in containers, and a system to work with afterwards."""

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import docker
import pytest
from docker.models.containers import Container
from pymongo import MongoClient
from testcontainers.compose import DockerCompose
from testcontainers.core.container import DockerContainer

from devstack.payments import Payments
from devstack.resources import spare_queue
from tailrace.dev.aws import Aws
from tailrace.dev.consumer import Consumer, Received
from tailrace.dev.loopback import get
from tests.docker.conftest import REPOSITORY
from tests.eventually import eventually

STOP_SECONDS = 20  # the tailer's limit


@pytest.fixture
def payments(system: DockerCompose) -> Iterator[Payments]:
    """An application on the host, like a person with mongosh."""
    client: MongoClient[dict[str, Any]]
    host, port = system.get_service_host_and_port("mongo", 27017)
    with MongoClient(host, port, directConnection=True) as client:
        yield Payments(client.payments.payments)


@pytest.fixture
def consumer(system: DockerCompose, demo: Container) -> Iterator[Consumer]:
    """A consumer as in `demo watch`."""
    host, port = system.get_service_host_and_port("aws", 4566)
    aws = Aws(f"http://{host}:{port}")
    with spare_queue(aws) as queue_url:
        yield Consumer(aws("sqs"), queue_url)
    aws.close()


def test_compose_file_is_valid(compose_command: list[str]) -> None:
    """Also without an engine."""
    read = subprocess.run([*compose_command, "config", "--quiet"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


def test_demo_ends_with_its_verdict(demo: Container) -> None:
    """Exit 0, with every event shown and a verdict that holds."""
    log = demo.logs().decode()
    assert demo.wait()["StatusCode"] == 0, log
    assert log.count("PaymentCancelled  payments.payments/") >= 20
    assert "The verdict holds" in log


def test_tailer_runs_without_privileges(tailer: Container) -> None:
    """Not as root, without capabilities, and with a read-only file system. It is healthy."""
    assert eventually_healthy(tailer)
    status = tailer.exec_run(["cat", "/proc/self/status"]).output.decode()
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert tailer.exec_run(["id", "-u"]).output.strip() != b"0"
    assert b"Read-only file system" in tailer.exec_run(["touch", "/tmp/file"]).output


def test_ports_are_published_on_localhost_only(system: DockerCompose, engine: docker.DockerClient, tailer: Container) -> None:
    for container in system.get_containers():
        published = engine.containers.get(container.ID).attrs["HostConfig"]["PortBindings"]
        assert {binding["HostIp"] for bindings in published.values() for binding in bindings} == {"127.0.0.1"}


def test_change_made_from_the_host_becomes_an_event(tailer: Container, payments: Payments, consumer: Consumer) -> None:
    """With directConnection=true, since the replica set's name only resolves inside."""
    payments.cancel(payments.create())
    assert event_names(consumer.receive_count(2), payments) == ["PaymentCreated", "PaymentCancelled"]


def test_doctor_finds_no_failure_in_the_system(tailer: Container) -> None:
    """In the tailer's own container. It sees the running tailer."""
    assert eventually_healthy(tailer)
    code, output = tailer.exec_run(["python", "-m", "tailer", "doctor", "--json"])
    told = json.loads(output)
    assert (code, [finding for finding in told["findings"] if finding["state"] == "FAIL"]) == (0, [])
    found = {finding["name"]: finding["found"] for finding in told["findings"]}
    assert "a tailer answers" in found["http.port"]
    assert "owner number" in found["stream.lease"]
    assert found["forwarder.bus"] == "payments exists"


def test_health_check_imports_little(tailer: Container) -> None:
    """It runs every few seconds on a fraction of a CPU."""
    ask = "import sys, tailer.health.probe; print(*sys.modules)"
    loaded = set(tailer.exec_run(["python", "-c", ask]).output.decode().split())
    assert not loaded & {"http.client", "email", "ssl", "pymongo", "boto3", "msgspec", "asyncio", "logging"}
    assert tailer.exec_run(["python", "-m", "tailer.health.probe"]).exit_code == 0


def test_tailer_starts_and_stops_soon(tailer: Container, tailer_image: str, capsys: pytest.CaptureFixture[str]) -> None:
    """From the container's start to the first heartbeat, and from SIGTERM to exit 0. Both times are printed."""
    environment = dict(line.split("=", 1) for line in tailer.attrs["Config"]["Env"]) | {"TAILER_STREAM": "another"}
    (network,) = tailer.attrs["NetworkSettings"]["Networks"]
    with DockerContainer(tailer_image, env=environment, network_mode=network, read_only=True, ports=[8080]) as another:
        own = another.get_wrapped_container()
        own.reload()
        begun = datetime.fromisoformat(own.attrs["State"]["StartedAt"][:26] + "+00:00")
        port = int(another.get_exposed_port(8080))
        assert eventually(lambda: get(port, "/readyz")[0] == 200)
        started = (datetime.now(UTC) - begun).total_seconds()
        told = time.monotonic()
        assert stop_container(own) == 0
        ended = time.monotonic() - told
    with capsys.disabled():
        print(f"\n  start to first heartbeat {started:.1f} s, SIGTERM to exit 0 {ended:.1f} s")  # noqa: T201


def test_second_tailer_stands_by_and_stops_on_sigterm(tailer: Container, tailer_image: str) -> None:
    """As process 1 of its container, where an unhandled signal would be ignored."""
    environment = dict(line.split("=", 1) for line in tailer.attrs["Config"]["Env"])
    (network,) = tailer.attrs["NetworkSettings"]["Networks"]
    with DockerContainer(tailer_image, env=environment, network_mode=network, read_only=True) as second:
        standby = second.get_wrapped_container()
        assert eventually(lambda: b"standing_by" in standby.logs())
        assert stop_container(standby) == 0


def test_nothing_is_lost_when_the_tailer_is_killed_or_stopped(
    tailer: Container, payments: Payments, consumer: Consumer
) -> None:
    """Changes written meanwhile arrive after the restart. SIGTERM ends the tailer in time with exit 0."""
    tailer.kill()
    created = payments.create()
    tailer.start()
    assert event_names(consumer.receive_count(1), payments) == ["PaymentCreated"]
    assert stop_container(tailer) == 0
    payments.cancel(created)
    tailer.start()
    assert event_names(consumer.receive_count(1), payments) == ["PaymentCancelled"]


def event_names(received: list[Received], payments: Payments) -> list[str]:
    """Return the events of these payments, each once, in order of arrival."""
    documents = {one.document for one in payments.committed}
    return list({event.id: event.name for event in received if event.document in documents}.values())


def stop_container(container: Container) -> int:
    """Return the exit code after SIGTERM; 137 if it did not end in time."""
    container.stop(timeout=STOP_SECONDS)
    return int(container.wait()["StatusCode"])


def eventually_healthy(container: Container) -> bool:
    def healthy() -> bool:
        container.reload()
        return bool(container.health == "healthy")

    return eventually(healthy)
