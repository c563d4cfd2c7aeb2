"""The forwarder's package is complete, small and reproducible."""

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from infra.package import REPOSITORY
from tailrace.packaging import Package, build, dependencies, sources, trimming
from tailrace.project import load
from tailrace.version import __version__
from tests.tailrace.packaging import shop

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
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package of a project for the functions of this machine."""
    return shop.built(shop.write(tmp_path_factory.mktemp("shop")))


@pytest.fixture
def built(package: Package) -> Path:
    return package.path


def test_package_starts_in_a_bare_interpreter(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every client that it uses has its model, and pymongo is not imported."""
    with ZipFile(built) as archive:
        archive.extractall(tmp_path)
    clients = sorted(trimming.CLIENTS)
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
    """
    The core of our two packages, the project's module and trimmed dependencies, without ``.dist-info``, which Python would
    search at a cold start.
    """
    names = ZipFile(built).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {"tailrace", "lambda_forwarder", "events.py", "boto3", "botocore", "msgspec"} <= tops
    parts = {name.split("/")[1].removesuffix(".py") for name in names if name.startswith("tailrace/")}
    assert parts == {*core(), "__init__", "py.typed"}
    assert not tops & {"pymongo", "bson", "tailer", "devstack", "infra", "bin"}
    assert not any(name.endswith(".dist-info") for name in tops)
    models = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    assert models == trimming.CLIENTS
    assert not any(name.startswith("aws_lambda_powertools/event_handler/") for name in names)
    assert built.stat().st_size < SMALL


def core() -> set[str]:
    """Return the parts of ``tailrace`` that import nothing but msgspec, by the contract of pyproject.toml."""
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [contract] = [one for one in contracts if "the core of tailrace" in one["name"]]
    return {module.removeprefix("tailrace.") for module in contract["source_modules"]}


def test_package_lists_its_components(built: Path) -> None:
    """As valid CycloneDX: each package of the lock in it, with a hash of the lock and a licence."""
    archive = ZipFile(built)
    text = archive.read("sbom.cdx.json").decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    listed = json.loads(text)
    assert listed["metadata"]["component"]["version"] == __version__
    lock = (REPOSITORY / "requirements" / "forwarder.txt").read_text()
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
    for name in sources.TERMS:
        assert archive.read(name) == (REPOSITORY / name).read_bytes()
    kept = [Path(name) for name in archive.namelist() if name.startswith("licenses/")]
    listed = json.loads(archive.read("sbom.cdx.json"))["components"]
    assert {path.parts[1] for path in kept} == {f"{one['name']}-{one['version']}" for one in listed}
    licences = {path.parts[1] for path in kept if re.match("(licen[cs]e|copying)", path.name, re.IGNORECASE)}
    assert licences == {path.parts[1] for path in kept}
    assert all(archive.getinfo(path.as_posix()).file_size > 80 for path in kept)
    assert sum(archive.getinfo(path.as_posix()).compress_size for path in kept) < LICENCES


def test_same_inputs_give_the_same_package(package: Package, tmp_path: Path) -> None:
    """Built from nothing in another folder with another cache: a deployment changes only when the code does."""
    again = shop.built(shop.write(tmp_path), cache=tmp_path / "cache")
    assert again.sha256 == package.sha256 == hashlib.sha256(package.path.read_bytes()).hexdigest()


def test_image_has_the_files_of_the_zip(package: Package, tmp_path: Path) -> None:
    """Readable by every user, and the same each time. Its folder holds nothing else."""
    image = shop.built(shop.write(tmp_path), image=True)
    again = shop.built(tmp_path, image=True)
    with ZipFile(package.path) as zipped, tarfile.open(image.path / "package.tar") as tar:
        members = {member.name: member for member in tar}
        assert sorted(members) == sorted(zipped.namelist())
        assert all(tar.extractfile(name).read() == zipped.read(name) for name in members)  # type: ignore[union-attr]
        assert {(one.mode, one.uid, one.mtime) for one in members.values()} == {(0o644, 0, 315_532_800)}
    assert again.sha256 == image.sha256 == hashlib.sha256((image.path / "package.tar").read_bytes()).hexdigest()
    assert (image.is_image, image.catalogue) == (True, package.catalogue)
    assert sorted(path.name for path in image.path.iterdir()) == ["Dockerfile", "package.tar"]


def test_source_change_rebuilds_the_package_without_installing(
    package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project's source is packed on top of the cached dependencies."""
    monkeypatch.setattr(dependencies, "_install", lambda *_: pytest.fail("the dependencies were installed again"))
    after = shop.built(shop.write(tmp_path, events_py=shop.EVENTS + "# changed\n"))
    assert after.sha256 != package.sha256


def test_package_knows_its_size_and_its_events(package: Package) -> None:
    """The project's own, and the forwarder's event of a gap; none of another project."""
    assert package.unzipped_bytes == sum(entry.file_size for entry in ZipFile(package.path).infolist())
    assert package.catalogue.keys == ("orders",)
    assert [event.schema_name for event in package.catalogue.events] == [
        "app.tailrace@StreamGapDetected-v1",
        "shop.orders@OrderPlaced-v1",
    ]
    placed = package.catalogue.events[1]
    assert (placed.name, placed.source, placed.version, placed.keys) == ("OrderPlaced", "shop.orders", "1", ("orders",))
    assert placed.json_schema["properties"]["source"] == {"const": "shop.orders"}
    assert placed.openapi["openapi"] == "3.0.0"


def test_package_for_another_platform_is_checked_here(tmp_path: Path) -> None:
    """Its native code is of Lambda's platform. The check uses wheels of this machine."""
    made = build(load(shop.write(tmp_path)), tmp_path / "lambda.zip", cache=shop.CACHE)
    names = ZipFile(made.path).namelist()
    assert any(name.startswith("msgspec/") and "cpython-313-aarch64" in name for name in names)
    assert [event.name for event in made.catalogue.events] == ["StreamGapDetected", "OrderPlaced"]


def test_dependency_of_the_mappers_is_packed_whole_and_listed(tmp_path: Path) -> None:
    """With its metadata, which a package may read when it is imported."""
    own = "import iniconfig\nfrom importlib.metadata import version\nversion('iniconfig')\n" + shop.EVENTS
    made = shop.built(shop.write(tmp_path, events_py=own, requirements_txt=shop.locked("iniconfig", "boto3")))
    archive = ZipFile(made.path)
    assert {"iniconfig/__init__.py", "iniconfig/py.typed"} <= set(archive.namelist())
    listed = {one["name"] for one in json.loads(archive.read("sbom.cdx.json"))["components"]}
    assert {"iniconfig", "boto3"} <= listed
