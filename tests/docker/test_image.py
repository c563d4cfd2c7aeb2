"""The tailer's image by itself: `docker run`, without compose."""

import re

import docker
from testcontainers.core.container import DockerContainer

from tailer.settings.settings import Settings
from tests.docker.conftest import REPOSITORY
from tests.tailer.mongodb.connection.test_client import SHIPPED

ENTRYPOINT = ["python", "-m", "tailer"]


def test_without_settings_it_names_them_all_and_exits_2(tailer_image: str, engine: docker.DockerClient) -> None:
    """Nothing is touched, and a read-only file system is enough."""
    code, text = run(tailer_image)
    assert code == 2
    for name, field in Settings.model_fields.items():
        assert (f"TAILER_{name.upper()} " in text) is field.is_required(), name
    assert "Traceback" not in text


def test_it_is_told_what_it_needs_to_be_run_safely(tailer_image: str, engine: docker.DockerClient) -> None:
    """A user that is not root, a health check without curl, the signal that it handles, and what it is."""
    config = engine.images.get(tailer_image).attrs["Config"]
    assert int(config["User"].partition(":")[0]) > 0  # a number: Kubernetes and ECS can tell that it is not root
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "-m", "tailer.health.probe"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Entrypoint"] == ENTRYPOINT
    assert config["Cmd"] == ["run"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_it_holds_the_tailer_and_nothing_else(tailer_image: str) -> None:
    """Neither the forwarder nor the dev stack nor tests are in it."""
    code, text = run(tailer_image, "python", "-c", "import contract, tailer.app, os; print(*os.listdir('/app'))")
    assert code == 0, text
    assert {"tailrace", "tailer"} <= set(text.split())
    assert not {"lambda_forwarder", "devstack", "tailrace_cdk", "infra", "tests", "requirements"} & set(text.split())


def test_it_knows_every_service_that_the_tailer_calls(tailer_image: str) -> None:
    """The image leaves out botocore's descriptions of the others; a new client needs a word in its Dockerfile."""
    sources = "".join(path.read_text() for path in (REPOSITORY / "tailer").rglob("*.py"))
    called = set(re.findall(r'clients?\("([a-z0-9-]+)"', sources))
    assert {"sqs", "dynamodb", "lambda", "events", "eventbridgev2", "sts"} <= called
    make = f"import boto3; [boto3.client(name, region_name='eu-west-1') for name in {sorted(called)}]"
    code, text = run(tailer_image, "python", "-c", make)
    assert code == 0, text


def test_it_lists_what_it_holds_with_licences(tailer_image: str) -> None:
    """Each package of the list has a licence beside it, and the list has every package."""
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


def test_it_carries_amazons_authorities(tailer_image: str) -> None:
    """The same bytes as here, and its user can read them: DocumentDB needs no mount and no download."""
    digest = "hashlib.sha256(AMAZON_RDS.read_bytes()).hexdigest()"
    code, text = run(
        tailer_image, "python", "-c", f"import hashlib; from tailer.mongodb.connection.uri import AMAZON_RDS; print({digest})"
    )
    assert (code, text.strip()) == (0, SHIPPED)


def test_a_tailer_that_does_not_response_is_unhealthy(tailer_image: str) -> None:
    """The health check fails and says why."""
    code, text = run(tailer_image, "python", "-m", "tailer.health.probe")
    assert code == 1
    assert text.startswith("no response on port 8080: ")


def test_its_doctor_needs_nothing_but_the_image(tailer_image: str) -> None:
    """Without settings it says which are missing, as a finding."""
    code, text = run(tailer_image, *ENTRYPOINT, "doctor")
    assert code == 2
    assert text.startswith("FAIL  settings ")
    assert "TAILER_QUEUE_URL missing" in text


def test_only_what_the_images_copy_is_sent_to_the_engine() -> None:
    """A secret or a virtual environment beside the sources never becomes part of an image."""
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    assert "**/.env" in lines


def run(image: str, *command: str) -> tuple[int, str]:
    """Exit code and output of a run that ends by itself, with a read-only file system and without a network."""
    container = DockerContainer(image, read_only=True, network_mode="none", entrypoint=list(command) or None)
    with container:
        ended = container.get_wrapped_container().wait(timeout=60)
        out, err = container.get_logs()
    return ended["StatusCode"], (out + err).decode()
