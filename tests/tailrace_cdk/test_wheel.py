"""The distribution, installed outside of a clone: what it adds to the top level, and that a stack can be made with it."""

import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import pytest

from tailrace_cdk.clone import FOLDER

PACKAGES = {"tailrace", "tailer", "lambda_forwarder", "tailrace_cdk"}
LIBRARIES = sysconfig.get_path("purelib")
STACK = """
from pathlib import Path
import tailrace_cdk
from aws_cdk import App
from tailrace_cdk.config import load
from tailrace_cdk.stack import TailraceStack
app = App(outdir="cdk.out")
TailraceStack(app, load(Path("mine.toml")), package=Path("forwarder.zip"))
app.synth()
print(tailrace_cdk.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel was unpacked to."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-P", "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist")]
    subprocess.run(build, cwd=FOLDER, check=True, capture_output=True)
    [built] = (folder / "dist").iterdir()
    with ZipFile(built) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def run(code: str, folder: Path, *path: str) -> "subprocess.CompletedProcess[str]":
    """Run the code in the folder, with nothing to import but the standard library and these. ``-S``: no editable install."""
    environment = {"PYTHONPATH": ":".join(path)}
    return subprocess.run([sys.executable, "-S", "-P", "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


def test_the_wheel_installs_our_packages_and_nothing_else(wheel: Path) -> None:
    """No tool of the repository is on the path of whoever installs it."""
    assert {path.name for path in wheel.iterdir() if path.suffix != ".dist-info"} == PACKAGES


def test_a_stack_is_made_outside_of_a_clone(wheel: Path, tmp_path: Path) -> None:
    """By the installed package alone."""
    (tmp_path / "forwarder.zip").touch()
    (tmp_path / "mine.toml").write_text("[bus]\nschemas = false")
    made = run(STACK, tmp_path, str(wheel), LIBRARIES)
    assert made.stdout.strip() == str(wheel / "tailrace_cdk" / "__init__.py"), made.stderr
    assert (tmp_path / "cdk.out" / "tailrace-mine.template.json").is_file()


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ("", "set [bus] schemas = false"),
        ('[bus]\nschemas = false\n[database]\n[[streams]]\nname = "a"\ndatabase = "b"', "name an image in [tailer] image"),
    ],
)
def test_what_only_a_clone_has_is_missing_with_a_remedy(wheel: Path, tmp_path: Path, settings: str, remedy: str) -> None:
    """The error names the file and the setting that avoids it; an empty registry would say nothing."""
    (tmp_path / "forwarder.zip").touch()
    (tmp_path / "mine.toml").write_text(settings)
    made = run(STACK, tmp_path, str(wheel), LIBRARIES)
    assert made.returncode == 1
    assert "is only in a clone of the repository" in made.stderr
    assert remedy in made.stderr.splitlines()[-1]


def test_without_the_cdk_the_error_says_what_to_install(wheel: Path, tmp_path: Path) -> None:
    """The libraries of the CDK are an extra of the distribution."""
    made = run("import tailrace_cdk.stack", tmp_path, str(wheel))
    assert made.stderr.splitlines()[-1] == (
        'ImportError: tailrace_cdk needs the AWS CDK, which is not installed: pip install "tailrace[cdk]"'
    )
