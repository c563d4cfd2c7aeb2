"""The forwarder's package is complete, small and reproducible."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from devstack.stack import forwarder_zip, function_target
from infra import package
from tailrace.version import __version__

SMALL = 15_000_000  # bytes; Lambda accepts 50 MB zipped, and every MB costs time at each cold start
LICENCES = 200_000  # bytes in the zip of all licences and of the components' own lists
# A bare interpreter (-I: no environment, no user folder; -S: no site-packages) that sees only the package.
PROBE = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
start = time.perf_counter()
import lambda_forwarder.handlers.sqs
took = time.perf_counter() - start
import boto3
clients = [boto3.client(name, region_name="eu-west-1").meta.service_model.service_name for name in sys.argv[2:]]
outside = sorted(m.__file__ for m in list(sys.modules.values()) if "site-packages" in (getattr(m, "__file__", None) or ""))
print(json.dumps({"seconds": took, "modules": sorted(sys.modules), "outside": outside, "clients": clients}))
"""
SETTINGS = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # the discard port: importing must make no call
    "FORWARDER_EVENT_BUS": "payments",
    "FORWARDER_SOURCE": "app.payments",
    "FORWARDER_PARKING_QUEUE_URL": "http://127.0.0.1:9/000000000000/tailrace-parking.fifo",
    "FORWARDER_WATERMARKS": "tailrace-state",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for this interpreter, as the dev stack builds it."""
    return forwarder_zip(tmp_path_factory.mktemp("built"))


def test_package_starts_in_a_bare_interpreter(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every client that it uses has its model, and pymongo is not imported."""
    with ZipFile(built) as archive:
        archive.extractall(tmp_path)
    clients = sorted(package.CLIENTS)
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", PROBE, str(tmp_path), *clients],
        env=SETTINGS,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert seen["outside"] == []
    assert len(seen["clients"]) == len(clients)
    assert not {"pymongo", "bson", "tailer", "devstack"}.intersection(seen["modules"])
    with capsys.disabled():
        sys.stdout.write(f"\nforwarder.zip: {built.stat().st_size:,} bytes, imported in {seen['seconds']:.2f} s\n")


def test_package_contains_only_what_the_function_uses(built: Path) -> None:
    """Our two packages and trimmed dependencies, without ``.dist-info``, which Python would search at a cold start."""
    names = ZipFile(built).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {"tailrace", "lambda_forwarder", "boto3", "botocore", "msgspec"} <= tops
    assert not tops & {"pymongo", "bson", "tailer", "devstack", "infra", "bin"}
    assert not any(name.endswith(".dist-info") for name in tops)
    models = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    assert models == package.CLIENTS
    assert not any(name.startswith("aws_lambda_powertools/event_handler/") for name in names)
    assert built.stat().st_size < SMALL


def test_package_lists_its_components(built: Path) -> None:
    """As valid CycloneDX: each package of the lock in it, with a hash of the lock and a licence."""
    archive = ZipFile(built)
    text = archive.read("sbom.cdx.json").decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    listed = json.loads(text)
    assert listed["metadata"]["component"]["version"] == __version__
    lock = package.LOCK.read_text()
    components = {one["name"]: one for one in listed["components"]}
    assert {"boto3", "botocore", "msgspec", "pydantic-core", "urllib3"} <= components.keys() == locked(lock)
    for name, one in components.items():
        entry = lock[lock.index(f"{name}=={one['version']}") :].partition("\n" + name[0])[0]
        assert one["purl"] == f"pkg:pypi/{name}@{one['version']}"
        assert f"sha256:{one['hashes'][0]['content']}" in entry
        assert one["licenses"]


def locked(lock: str) -> set[str]:
    """Return the packages of a lock that this machine and Lambda install."""
    return set(re.findall(r"^([a-z0-9-]+)==[^;\n]+$", lock, re.MULTILINE))


def test_package_contains_every_licence(built: Path) -> None:
    """Ours with the notice, and that of each listed component."""
    archive = ZipFile(built)
    for name in package.TERMS:
        assert archive.read(name) == (package.REPOSITORY / name).read_bytes()
    kept = [Path(name) for name in archive.namelist() if name.startswith("licenses/")]
    listed = json.loads(archive.read("sbom.cdx.json"))["components"]
    assert {path.parts[1] for path in kept} == {f"{one['name']}-{one['version']}" for one in listed}
    licences = {path.parts[1] for path in kept if re.match("(licen[cs]e|copying)", path.name, re.IGNORECASE)}
    assert licences == {path.parts[1] for path in kept}
    assert all(archive.getinfo(path.as_posix()).file_size > 80 for path in kept)
    assert sum(archive.getinfo(path.as_posix()).compress_size for path in kept) < LICENCES


def test_same_inputs_give_the_same_package(built: Path, tmp_path: Path) -> None:
    """Built from nothing with another cache: a deployment changes only when the code does."""
    again = package.build(tmp_path / "again.zip", *function_target(), cache=tmp_path / "cache")
    assert _digest(again) == _digest(built)


def test_source_change_rebuilds_the_package_without_installing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our source is packed on top of the cached dependencies."""
    before = package.build(tmp_path / "before.zip", *function_target())
    repository = tmp_path / "repository"
    for source in package.SOURCES:
        (repository / source).mkdir(parents=True)
        (repository / source / "__init__.py").write_text('"""Changed."""\n')
    for name in package.TERMS:
        (repository / name).touch()
    monkeypatch.setattr(package, "REPOSITORY", repository)
    monkeypatch.setattr(package, "_install", lambda *_: pytest.fail("the dependencies were installed again"))
    after = package.build(tmp_path / "after.zip", *function_target())
    assert _digest(after) != _digest(before)


def test_package_too_large_for_lambda_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a deployment, with both sizes."""
    monkeypatch.setattr(package, "UNZIPPED_LIMIT", 1_000)
    with pytest.raises(ValueError, match="Lambda allows 1,000"):
        package.build(tmp_path / "large.zip", *function_target())
    assert list(tmp_path.iterdir()) == []


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
