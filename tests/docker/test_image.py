"""The tailer's image by itself: `docker run`, without compose."""

import re

import docker
from testcontainers.core.container import DockerContainer

from tailer.settings.settings import Settings
from tests.docker.conftest import REPOSITORY
from tests.tailer.mongodb.connection.test_client import SHIPPED

ENTRYPOINT = ["python", "-m", "tailer"]


def test_image_without_settings_names_the_required_ones_and_exits_2(tailer_image: str, engine: docker.DockerClient) -> None:
    """On a read-only file system."""
    code, text = run(tailer_image)
    assert code == 2
    for name, field in Settings.model_fields.items():
        assert (f"TAILER_{name.upper()} " in text) is field.is_required(), name
    assert "Traceback" not in text


def test_image_config_is_safe(tailer_image: str, engine: docker.DockerClient) -> None:
    """A numeric user that is not root, a health check without curl, the stop signal, and its labels."""
    config = engine.images.get(tailer_image).attrs["Config"]
    assert int(config["User"].partition(":")[0]) > 0  # Kubernetes and ECS recognise a numeric user that is not root.
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "-m", "tailer.health.probe"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Entrypoint"] == ENTRYPOINT
    assert config["Cmd"] == ["run"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_image_contains_only_the_tailer(tailer_image: str) -> None:
    """Not the forwarder, the dev stack or tests."""
    code, text = run(tailer_image, "python", "-c", "import tailrace, tailer.app, os; print(*os.listdir('/app'))")
    assert code == 0, text
    assert {"tailrace", "tailer"} <= set(text.split())
    assert not {"lambda_forwarder", "devstack", "tailrace_cdk", "infra", "tests", "requirements"} & set(text.split())


def test_image_has_every_service_model_that_the_tailer_needs(tailer_image: str) -> None:
    """The image omits botocore's models of other services: name a new client in the Dockerfile."""
    sources = "".join(path.read_text() for path in (REPOSITORY / "tailer").rglob("*.py"))
    called = set(re.findall(r'(?:clients?|aws)\("([a-z0-9-]+)"', sources))
    assert {"sqs", "dynamodb", "lambda", "events", "eventbridgev2", "sts"} <= called
    make = f"import boto3; [boto3.client(name, region_name='eu-west-1') for name in {sorted(called)}]"
    code, text = run(tailer_image, "python", "-c", make)
    assert code == 0, text


def test_image_lists_its_packages_with_licences(tailer_image: str) -> None:
    """The list is complete."""
    look = """
import json, pathlib
app = pathlib.Path("/app")
listed = {(one["name"], one["version"]) for one in json.loads((app / "sbom.cdx.json").read_text())["components"]}
folders = list(app.glob("*.dist-info"))
assert {(app / name).stat().st_size > 0 for name in ("LICENSE", "NOTICE")} == {True}
assert len(folders) == len(listed) > 15
print([folder.name for folder in folders if not [*folder.glob("licenses/*"), *folder.glob("LICEN[CS]E*")]])
"""
    assert run(tailer_image, "python", "-c", look) == (0, "[]\n")


def test_image_has_amazons_ca_bundle(tailer_image: str) -> None:
    """Its user can read it, so DocumentDB needs no mount and no download."""
    digest = "hashlib.sha256(AMAZON_RDS.read_bytes()).hexdigest()"
    code, text = run(
        tailer_image, "python", "-c", f"import hashlib; from tailer.mongodb.connection.uri import AMAZON_RDS; print({digest})"
    )
    assert (code, text.strip()) == (0, SHIPPED)


def test_tailer_without_response_is_unhealthy(tailer_image: str) -> None:
    """The health check says why."""
    code, text = run(tailer_image, "python", "-m", "tailer.health.probe")
    assert code == 1
    assert text.startswith("no response on port 8080: ")


def test_doctor_runs_without_settings(tailer_image: str) -> None:
    """It reports missing settings as a finding."""
    code, text = run(tailer_image, *ENTRYPOINT, "doctor")
    assert code == 2
    assert text.startswith("FAIL  settings ")
    assert "TAILER_QUEUE_URL missing" in text


def test_build_context_has_only_what_the_images_copy() -> None:
    """A secret or a virtual environment never gets into an image."""
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    assert "**/.env" in lines


def run(image: str, *command: str) -> tuple[int, str]:
    """Return the exit code and output of a run that ends by itself, with a read-only file system and without a network."""
    container = DockerContainer(image, read_only=True, network_mode="none", entrypoint=list(command) or None)
    with container:
        ended = container.get_wrapped_container().wait(timeout=60)
        out, err = container.get_logs()
    return ended["StatusCode"], (out + err).decode()
