"""The distribution, installed without a clone: its top-level packages, and a stack that is made with it."""

import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest
from aws_cdk import Stack

from infra.package import REPOSITORY
from tailrace_cdk.config import Tailer
from tailrace_cdk.tailing.image import Image
from tests.tailrace_cdk.template import unchecked

PACKAGES = {"tailrace", "tailer", "lambda_forwarder", "tailrace_cdk"}
LIBRARIES = sysconfig.get_path("purelib")
MAPPERS = '[forwarder]\nmappers = "events:MAPPERS"\n'
TAILER = f'{MAPPERS}[database]\n[[streams]]\nname = "a"\ndatabase = "b"'
STACK = """
from pathlib import Path
import tailrace_cdk
from aws_cdk import App
from tailrace_cdk.config import load
from tailrace_cdk.stack import TailraceStack
app = App(outdir="cdk.out", builtin_cloud_formation_validation=False)
TailraceStack(app, load(Path("mine.toml")), package=Path("forwarder.zip"))
app.synth()
print(tailrace_cdk.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-P", "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist")]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True)
    [built] = (folder / "dist").iterdir()
    with ZipFile(built) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def run(code: str, folder: Path, *path: str) -> "subprocess.CompletedProcess[str]":
    """Run the code in the folder with only the standard library and these paths. ``-S``: no editable install."""
    environment = {"PYTHONPATH": ":".join(path)}
    return subprocess.run([sys.executable, "-S", "-P", "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


def test_wheel_installs_only_our_packages(wheel: Path) -> None:
    assert {path.name for path in wheel.iterdir() if path.suffix != ".dist-info"} == PACKAGES


def test_stack_is_made_without_a_clone(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "forwarder.zip").touch()
    (tmp_path / "mine.toml").write_text(MAPPERS)
    made = run(STACK, tmp_path, str(wheel), LIBRARIES)
    assert made.stdout.strip() == str(wheel / "tailrace_cdk" / "__init__.py"), made.stderr
    assert (tmp_path / "cdk.out" / "tailrace-mine.template.json").is_file()


def test_tailers_image_is_built_from_the_same_files_without_a_clone(wheel: Path, tmp_path: Path) -> None:
    """So a deployment from the wheel and one from the clone name the same image."""
    (tmp_path / "forwarder.zip").touch()
    (tmp_path / "mine.toml").write_text(TAILER)
    made = run(STACK, tmp_path, str(wheel), LIBRARIES)
    assert made.returncode == 0, made.stderr
    app = unchecked(tmp_path / "clone")
    Image(Stack(app, "Test"), "Image", tailer=Tailer())
    app.synth()
    contexts = [
        {path.parents[1].name for path in (tmp_path / name).glob("asset.*/tailer/Dockerfile")} for name in ("cdk.out", "clone")
    ]
    assert len(contexts[0]) == 1
    assert contexts[0] == contexts[1]


def test_missing_cdk_names_the_extra_to_install(wheel: Path, tmp_path: Path) -> None:
    made = run("import tailrace_cdk.stack", tmp_path, str(wheel))
    assert made.stderr.splitlines()[-1] == (
        'ModuleNotFoundError: tailrace_cdk needs the AWS CDK, which is not installed: pip install "tailrace[cdk]"'
    )
