"""Every command that installs packages installs wheels with matching hashes."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.stack import function_target
from infra.package import CACHE, REPOSITORY, package
from infra.supply import command_line
from tailrace.packaging import LAMBDA_PLATFORM, LAMBDA_PYTHON, components, dependencies
from tailrace.packaging.target import Target
from tailrace.version import __version__
from tests.tracked import tracked

DOCKERFILES = ("tailer/Dockerfile", "devstack/Dockerfile")
_INSTALLS = re.compile(
    r"\b(?:pip3?|pipx|uv pip|uv tool|npm|npx|yarn|curl[^\n]*\|\s*(?:ba)?sh)\s+(?:install|i|add|exec|--yes)\b[^\n&;|]*"
)


def installations() -> Iterator[tuple[str, str]]:
    """Yield each command line that installs something, with its file."""
    for path in tracked():
        if path.suffix in (".md", ".yml", ".yaml", ".toml", ".sh", "") or path.name in ("Makefile", "Dockerfile", "run"):
            text = re.sub(r"\\\n\s*", " ", path.read_text(errors="ignore"))
            yield from ((str(path.relative_to(REPOSITORY)), found) for found in _INSTALLS.findall(text))


def test_nothing_is_built_from_source_or_installed_without_hashes() -> None:
    """A source distribution runs its own code."""
    found = [(path, line) for path, line in installations() if " -e ." not in line]
    assert {path for path, _ in found} >= {"Makefile", *DOCKERFILES}
    assert [one for one in found if "--only-binary=:all:" not in one[1]] == []
    assert [
        one for one in found if "--require-hashes" not in one[1] and not one[0].endswith(".md")
    ] == []  # pages are for users


def test_packages_of_the_zip_are_wheels_with_hashes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For this machine and for Lambda's."""
    for platform in (None, LAMBDA_PLATFORM):
        ran: list[list[str]] = []

        def run(command: list[str], ran: list[list[str]] = ran, **_: object) -> "subprocess.CompletedProcess[str]":
            ran.append(command)
            return subprocess.CompletedProcess(command, 0, "", "")

        monkeypatch.setattr(subprocess, "run", run)
        target = Target(python=LAMBDA_PYTHON, platform=platform)
        dependencies._install({}, target, tmp_path, tmp_path / "report.json")
        [command] = ran
        assert {"--only-binary=:all:", "--require-hashes"} <= set(command)


@pytest.mark.parametrize("path", DOCKERFILES)
def test_base_image_is_the_newest_release_of_lambdas_python(path: str) -> None:
    """Not a patch release, which would never be rebuilt. The bot adds the digest. Every stage uses the base."""
    text = (REPOSITORY / path).read_text()
    [base] = re.findall(r"^ARG BASE=(\S+)$", text, re.MULTILINE)
    assert re.fullmatch(rf"python:{re.escape(LAMBDA_PYTHON)}-slim(@sha256:[0-9a-f]{{64}})?", base)
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}"}


def test_bot_updates_everything_that_is_pinned() -> None:
    """Both Dockerfiles and the compose file by digest, every Python lock, and the CDK's command line."""
    bot = json.loads((REPOSITORY / "renovate.json").read_text())
    assert "docker:pinDigests" in bot["extends"]
    assert set(bot["enabledManagers"]) == {"dockerfile", "docker-compose", "pip_requirements", "npm"}
    [pattern] = bot["pip_requirements"]["managerFilePatterns"]
    assert all(
        re.search(pattern.strip("/"), f"requirements/{lock.name}") for lock in (REPOSITORY / "requirements").glob("*.txt")
    )
    [python] = [rule["allowedVersions"] for rule in bot["packageRules"] if rule.get("matchPackageNames") == ["python"]]
    assert re.search(python.strip("/"), f"{LAMBDA_PYTHON}-slim")


def test_version_stands_in_one_file() -> None:
    """The wheel, the zip and the images read it there."""
    version = re.compile(rf"(?<![\d.]){re.escape(__version__)}(?![\d.])")
    code = [path for path in tracked() if path.suffix in (".py", ".toml", ".yml", "") and path.parent.name != "requirements"]
    assert [path.relative_to(REPOSITORY) for path in code if version.search(path.read_text(errors="ignore"))] == [
        Path("tailrace/version.py")
    ]


@pytest.mark.parametrize("stage", ["tailer/Dockerfile: build", "devstack/Dockerfile: forwarder"])
def test_stage_copies_every_file_that_its_commands_import(stage: str, tmp_path: Path) -> None:
    """Without an engine: its command runs with nothing of ours but the files that the stage copies."""
    path, _, name = stage.partition(": ")
    [text] = [part for part in (REPOSITORY / path).read_text().split("\nFROM ") if part.startswith(f"${{BASE}} AS {name}\n")]
    ignored = (REPOSITORY / ".dockerignore").read_text()
    for words in re.findall(r"^COPY (?!--)(.+)$", text, re.MULTILINE):
        *sources, target = words.split()
        for source in sources:
            assert f"!{source.split('/')[0]}\n" in ignored, source
            there = tmp_path / target.lstrip("/")
            if (REPOSITORY / source).is_file():
                there.mkdir(parents=True, exist_ok=True)
                (there / Path(source).name).write_bytes((REPOSITORY / source).read_bytes())
            else:
                shutil.copytree(REPOSITORY / source, there, ignore=shutil.ignore_patterns("__pycache__"))
    if name == "forwarder":
        (tmp_path / "dist").mkdir()
        (tmp_path / "dist" / "cache").symlink_to(CACHE)
        python, platform = function_target()
        package(tmp_path / "cached.zip", python, platform)  # so that its dependencies are in the cache
        command = ["-m", "infra.package", "--python", python, "--platform", platform or ""]
    else:
        (tmp_path / "report.json").write_text('{"install": []}')
        command = [str(tmp_path / "tmp" / "components.py"), "x", "1", str(tmp_path), str(tmp_path / "report.json")]
    bare = [sys.executable, "-S", "-P", *command]
    path = os.pathsep.join([str(tmp_path), sysconfig.get_path("purelib")])  # -S: without the .pth file that leads to the clone
    done = subprocess.run(bare, env={"PYTHONPATH": path}, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if name == "build":
        assert json.loads((tmp_path / components.FILE).read_text())["components"] == []


def test_command_line_with_another_hash_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing of it is left."""
    locked, root = tmp_path / "locked", tmp_path / "root"
    locked.mkdir()
    for name in command_line.FILES:
        text = (command_line.LOCKED / name).read_text()
        (locked / name).write_text(re.sub(r'"sha512-.{8}', '"sha512-AAAAAAAA', text))
    monkeypatch.setattr(command_line, "LOCKED", locked)
    with pytest.raises(command_line.NotInstalled):
        command_line.installed(root)
    assert list(root.iterdir()) == []
    if "EINTEGRITY" not in (said := capfd.readouterr().err):
        pytest.skip(f"needs npm's registry: {said}")


def test_installed_command_line_is_not_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the lock changes. A slower process uses the other's installation."""
    programs = []

    def npm(*_: str, folder: Path) -> int:
        (folder / command_line.PROGRAM).parent.mkdir(parents=True)
        (folder / command_line.PROGRAM).touch()
        programs.append(folder)
        return 0

    monkeypatch.setattr(command_line, "npm", npm)
    first = command_line.installed(tmp_path)
    assert command_line.installed(tmp_path) == first
    assert len(programs) == 1
    command_line._install(first.parents[3])
    assert first.is_file()
