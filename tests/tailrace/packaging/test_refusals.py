"""A package that would not work in Lambda is not written. The error names what is wrong, and the remedy."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tailrace.packaging import PackageError, build, package_of, sources
from tailrace.packaging.dependencies import refuse_incomplete
from tailrace.packaging.lock import Pin
from tailrace.packaging.target import Target
from tailrace.project import load
from tests.tailrace.packaging import shop

OTHER_KEY = shop.EVENTS.replace('"orders":', '"ordres":')
NO_MAPPER = shop.EVENTS.replace("(order_placed,)", "()")
OTHER_DATABASE = shop.EVENTS.replace('"orders":', '"shp.orders":')
NO_TABLE = shop.EVENTS.replace('{"orders": (order_placed,)}', '["orders"]')
UNKNOWN_TYPE = shop.EVENTS.replace("-> OrderPlaced | None", '-> "OrderPlaced | Unknown"')
HASHES = shop.locked("iniconfig")

MAPPERS = {
    "module missing": ({"tailrace_toml": 'mappers = "evnts:MAPPERS"'}, "there is no module evnts in the project"),
    "module of the project not in sources": (
        {"events_py": f"import prices\n{shop.EVENTS}", "prices_py": "x = 1"},
        "events.py, line 1, imports prices, which is in the project but not in the package. Add it to sources",
    ),
    "name missing": (
        {"tailrace_toml": shop.PROJECT.replace("events:MAPPERS", "events:MAPERS")},
        "the module has no MAPERS; did you mean MAPPERS?",
    ),
    "no table of mappers": ({"events_py": NO_TABLE}, "it is not a mapping from collections to their mappers"),
    "no mapper": ({"events_py": NO_MAPPER}, "the table has no mapper, so no change would become an event. Add a collection"),
    "syntax error": ({"events_py": "def"}, "events.py, line 1, is not valid Python: invalid syntax"),
    "error at the import": ({"events_py": "import os\nos.environ['X']"}, "events.py, line 2, raises KeyError: 'X'"),
    "error with a secret": (
        {"events_py": "raise RuntimeError('no config: password=hunter2')"},
        "raises RuntimeError: no config: password=***",
    ),
    "end of the process": ({"events_py": "import sys\nsys.exit('bye')"}, "their import ended the interpreter: bye"),
    "dependency nowhere": (
        {"events_py": f"import nowhere.at\n{shop.EVENTS}"},
        "events.py, line 1, imports nowhere, which is not in the package. Add its package to the file of requirements",
    ),
    "dependency of this environment only": (
        {"events_py": f"import iniconfig\n{shop.EVENTS}"},
        "events.py, line 1, imports iniconfig, which is only in this environment, not in the package",
    ),
    "annotation that names nothing": ({"events_py": UNKNOWN_TYPE}, "NameError: name 'Unknown' is not defined"),
    "collection that no stream watches": (
        {"events_py": OTHER_KEY},
        "no stream of tailrace.toml watches the collection 'ordres' of the mappers; did you mean shop.orders?",
    ),
    "database that no stream watches": (
        {"events_py": OTHER_DATABASE},
        "no stream of tailrace.toml watches the collection 'shp.orders' of the mappers; did you mean shop.orders?",
    ),
    "key that is none": (
        {"events_py": shop.EVENTS.replace('"orders":', '".orders":')},
        "the key '.orders' is neither collection nor database.collection",
    ),
}

OF_AN_IMAGE = ("name missing", "dependency of this environment only", "collection that no stream watches")
"""An image is made from the zip, so a case of each step is enough."""

REQUIREMENTS = {
    "version open": ("iniconfig>=2", "'iniconfig>=2' is not pinned to one version with =="),
    "version with a wildcard": ("iniconfig==2.*", "'iniconfig==2.*' is not pinned to one version with =="),
    "no hash": ("iniconfig==2.1.0", "iniconfig==2.1.0 has no hash"),
    "another file": ("-r other.txt", "'-r other.txt' is not of the form name==version"),
    "address": ("x @ file:///tmp/x.whl --hash=sha256:" + "0" * 64, "is not pinned to one version with =="),
    "twice": (HASHES + HASHES, "iniconfig is there twice"),
    "another version than ours": ("boto3==1.43.0 --hash=sha256:" + "0" * 64, r"boto3==1\.43\.0 conflicts with boto3==1\.\d+"),
    "another version of us": ("tailrace==0.0.1 --hash=sha256:" + "0" * 64, "tailrace==0.0.1 conflicts with tailrace=="),
}


def refused(folder: Path, *, image: bool = False, **files: str) -> str:
    with pytest.raises(PackageError) as error:
        shop.built(shop.write(folder, **files), image=image)
    assert not (folder / "dist").exists()
    return str(error.value)


@pytest.mark.parametrize(("case", "image"), [*((case, False) for case in MAPPERS), *((case, True) for case in OF_AN_IMAGE)])
def test_mappers_that_would_not_start_are_refused(case: str, image: bool, tmp_path: Path) -> None:
    files, problem = MAPPERS[case]
    assert problem in refused(tmp_path, image=image, **files)


@pytest.mark.parametrize("case", REQUIREMENTS)
def test_requirements_that_are_no_lock_are_refused(case: str, tmp_path: Path) -> None:
    """With the command that makes a lock which agrees with ours."""
    text, problem = REQUIREMENTS[case]
    error = refused(tmp_path, requirements_txt=text)
    assert re.search(problem if "conflicts" in problem else re.escape(problem), error)
    command = re.search(r"uv pip compile .* -c (\S+) requirements.in -o \S+requirements.txt", error)
    assert command
    assert Path(command[1]).read_text().startswith("annotated-types==")


def test_lock_without_a_dependency_of_its_packages_is_refused(tmp_path: Path) -> None:
    """Also if no import needs it: a function may import it later. A dependency of another platform or extra is not needed."""
    needs = ["b>=2", "c ; extra == 'more'", "d ; sys_platform == 'win32'"]
    (tmp_path / "a-1.dist-info").mkdir()
    lines = ["Metadata-Version: 2.1", "Name: a", "Version: 1", *(f"Requires-Dist: {one}" for one in needs)]
    (tmp_path / "a-1.dist-info" / "METADATA").write_text("\n".join(lines))
    target = Target(python="3.13", platform="manylinux2014_aarch64")

    def pins(**versions: str) -> dict[str, Pin]:
        return {name: Pin(name=name, version=one, extras=frozenset(), hashes=()) for name, one in versions.items()}

    refuse_incomplete(pins(a="1", b="2.1"), target, tmp_path)
    with pytest.raises(PackageError, match="a needs b>=2, which is not in the lock"):
        refuse_incomplete(pins(a="1"), target, tmp_path)
    with pytest.raises(PackageError, match="a needs b>=2, and the lock has b==1"):
        refuse_incomplete(pins(a="1", b="1"), target, tmp_path)
    more = {**pins(b="2"), "a": Pin(name="a", version="1", extras=frozenset({"more"}), hashes=())}
    with pytest.raises(PackageError, match=r"a needs c.*, which is not in the lock"):
        refuse_incomplete(more, target, tmp_path)


def test_package_that_pip_cannot_install_is_refused(tmp_path: Path) -> None:
    """With the words of pip, and the name of the package."""
    wrong = re.sub("sha256:.{8}", "sha256:00000000", HASHES)
    said = refused(tmp_path, requirements_txt=wrong)
    assert re.search(r"THESE PACKAGES DO NOT MATCH THE HASHES.*\n +iniconfig==", said), said


def test_files_that_are_never_packed(tmp_path: Path) -> None:
    """Secrets, hidden files, environments and compiled code below a source."""
    package = tmp_path / "events"
    kept = ["__init__.py", "prices.json", "deep/er.py"]
    left_out = [
        *(".env", ".env.local", ".git/config", "__pycache__/x.pyc", "x.pyc", "venv/pyvenv.cfg", "venv/lib/x.py"),
        *("server.pem", "Server.KEY", "id_rsa", "credentials.json", "deep/.aws/config", "node_modules/x.js"),
    ]
    for name in (*kept, *left_out):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("x")
    (package / "settings.py").symlink_to(package / ".env")
    assert sorted(sources.of_project(tmp_path, [package])) == sorted(f"events/{name}" for name in kept)


@pytest.mark.parametrize("name", [".env", "server.pem", ".venv", "__pycache__"])
def test_source_that_is_never_packed_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(PackageError, match="is never packed"):
        sources.of_project(tmp_path, [tmp_path / name])


def test_source_that_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    """A link to a file outside, or to any folder."""
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    (project / "events").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "secret.py").write_text("x")
    link = project / "events" / "link.py"
    link.symlink_to(elsewhere / "secret.py")
    with pytest.raises(PackageError, match=r"link.py leads to .*secret.py, outside of the project's folder"):
        sources.of_project(project, [project / "events"])
    link.unlink()
    (project / "events" / "more").symlink_to(elsewhere)
    with pytest.raises(PackageError, match="more is a link to a folder"):
        sources.of_project(project, [project / "events"])


def test_source_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"gone.py does not exist"):
        sources.of_project(tmp_path, [tmp_path / "gone.py"])


def test_source_with_the_name_of_a_part_of_the_package_is_refused(tmp_path: Path) -> None:
    """It would replace the part."""
    project = 'sources = ["events.py", "boto3.py"]\n' + shop.PROJECT
    assert "boto3 is also the name of a part of the package" in refused(tmp_path, tailrace_toml=project, boto3_py="x = 1")


def test_file_that_changes_while_it_is_packed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package would be of no version of the project."""
    folder = shop.write(tmp_path)
    read = Path.read_bytes

    def changing(path: Path) -> bytes:
        content = read(path)
        if path.name == "events.py":
            path.write_text(f"{content.decode()}# more\n")
        return content

    monkeypatch.setattr(Path, "read_bytes", changing)
    with pytest.raises(PackageError, match="changed while it was packed"):
        sources.contents(folder, [folder / "events.py"])


@pytest.mark.parametrize(("image", "limit", "included"), [(False, "UNZIPPED", "layers"), (True, "IMAGE", "its base image")])
def test_package_too_large_for_lambda_is_refused(
    image: bool, limit: str, included: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With both sizes, the largest parts and what to do. What is too large for a zip may be an image."""
    monkeypatch.setattr(f"tailrace.packaging.package.{limit}_LIMIT", 1_000)
    error = refused(tmp_path, image=image)
    assert f"Lambda allows 1,000, {included} included. Its largest parts: " in error
    assert re.search(r"botocore [\d,]+", error)
    assert "Remove from the requirements what the mappers can do without" in error
    assert ("set base_image in tailrace.toml: a container image may have 10,737,418,240 bytes" in error) != image


def test_base_image_of_another_python_is_refused(tmp_path: Path) -> None:
    """The native code of the package is for one version."""
    project = replace(load(shop.write(tmp_path)), base_image=shop.base_image("3.1"))
    with pytest.raises(PackageError, match=r"the tag of .*:3\.1@sha256:0+ is not of Python 3\.13.*NAME:3\.13@sha256:DIGEST"):
        package_of(project)


def test_folder_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    """An image is not written into the folder of the project: that has a Dockerfile of its own, perhaps."""
    project = replace(load(shop.write(tmp_path)), base_image=shop.base_image("3.13"))
    with pytest.raises(PackageError, match="is not empty, and no folder of an image"):
        package_of(project, tmp_path)


@pytest.mark.parametrize(("python", "platform"), [("3", None), ("3.13", "win_amd64"), ("3.13.1", None)])
def test_target_that_lambda_does_not_have_is_refused(python: str, platform: str | None, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="is not a"):
        build(load(shop.write(tmp_path)), tmp_path / "x.zip", python=python, platform=platform)
