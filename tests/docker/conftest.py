"""The images and the compose file on a real engine. Without an engine the tests are skipped with the reason."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container

# Read when testcontainers is imported: containers are removed here, and their ports are on the engine's host.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
os.environ.setdefault("TESTCONTAINERS_CONNECTION_MODE", "docker_host")

from testcontainers.compose import DockerCompose

REPOSITORY = Path(__file__).parents[2]
BASES = ("python:3.13-slim", "mongo:7.0")  # the base of both Dockerfiles, and the database
BUILT = ("aws", "setup", "tailer", "demo")
DEMO_SECONDS = 90


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "docker: builds images and runs containers; a minute, more where nothing is cached")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.timeout(600))  # seconds: the first start builds images


@pytest.fixture(scope="session")
def compose_command(services: None) -> list[str]:
    """Return the command of docker compose for this repository. An engine need not run."""
    command = ["docker", "compose"]
    try:
        subprocess.run([*command, "version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the docker command with its compose plugin")
    return command


@pytest.fixture(scope="session")
def engine(compose_command: list[str]) -> Iterator[docker.DockerClient]:
    # The command is asked: docker-py leaves a socket open without an engine, which is an error here.
    asked = subprocess.run(["docker", "version"], capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip(f"needs a Docker engine that answers: {asked.stderr.strip()}")
    client = docker.from_env()
    for base in BASES:
        have(client, base)
    yield client
    client.close()


def have(client: docker.DockerClient, image: str) -> None:
    try:
        client.images.get(image)
    except ImageNotFound:
        try:
            client.images.pull(image)
        except DockerException as error:
            pytest.skip(f"needs the image {image}, which is not here and cannot be pulled: {error}")


@pytest.fixture(scope="session")
def project(engine: docker.DockerClient, compose_command: list[str]) -> Iterator[str]:
    """A compose project of this run, on free ports, with its images built. Everything is removed afterwards."""
    name = f"tailrace-test-{uuid.uuid4().hex[:8]}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPOSE_PROJECT_NAME", name)
        for port in ("MONGODB", "AWS", "HTTP"):
            patch.setenv(f"TAILRACE_{port}_PORT", "0")
        built = subprocess.run([*compose_command, "build"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stderr
        yield name
    for image in BUILT:
        engine.images.remove(f"{name}-{image}", force=True)


@pytest.fixture(scope="session")
def tailer_image(project: str) -> str:
    return f"{project}-tailer"


@pytest.fixture(scope="session")
def system(project: str) -> Iterator[DockerCompose]:
    """Every service is up, and the demo is running."""
    compose = DockerCompose(REPOSITORY, wait=False)
    try:
        try:
            compose.start()
        except subprocess.CalledProcessError as error:
            pytest.fail("\n".join([error.stderr.decode(), *compose.get_logs()]))
        yield compose
    finally:
        compose.stop()


@pytest.fixture(scope="session")
def demo(system: DockerCompose, engine: docker.DockerClient) -> Container:
    """The demo's container after its end."""
    container = container_of("demo", system, engine)
    container.wait(timeout=DEMO_SECONDS)
    return container


@pytest.fixture
def tailer(system: DockerCompose, engine: docker.DockerClient, demo: Container) -> Container:
    """The tailer's container after the demo."""
    return container_of("tailer", system, engine)


def container_of(service: str, system: DockerCompose, engine: docker.DockerClient) -> Container:
    return engine.containers.get(system.get_container(service, include_all=True).ID)
