"""The commands of make, and its message when one fails."""

import os
import subprocess
from pathlib import Path

from infra.package import REPOSITORY


def make(*words: str, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run make as in a clean shell; the programs of this folder come first on PATH."""
    shell = {
        name: value for name, value in os.environ.items() if name not in ("ENVIRONMENT", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    }
    if path:
        shell["PATH"] = f"{path}{os.pathsep}{shell['PATH']}"
    return subprocess.run(["make", *words], cwd=REPOSITORY, env=shell, capture_output=True, text=True, check=False)


def test_only_synth_has_a_default_environment() -> None:
    """A command that changes or reads an account needs one from its caller."""
    assert "-m infra.cdk --environment '' deploy" in make("--dry-run", "deploy").stdout
    assert "-m infra.cdk --environment '' diff" in make("--dry-run", "diff").stdout
    assert "-m infra.cdk --environment 'mine' deploy" in make("--dry-run", "deploy", "ENVIRONMENT=mine").stdout
    assert "-m infra --environment 'trial'" in make("--dry-run", "synth").stdout
    assert "-m infra.cdk bootstrap" in make("--dry-run", "bootstrap").stdout


def test_help_does_not_name_production() -> None:
    """Somebody would copy it."""
    listed = make("help").stdout
    assert "ENVIRONMENT=mine" in listed
    assert "production" not in listed


def test_failed_up_names_the_remedies(tmp_path: Path) -> None:
    """The variables that move the ports, and the command that removes the started half."""
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho 'bind: address already in use' >&2\nexit 1\n")
    docker.chmod(0o755)
    done = make("up", path=tmp_path)
    assert done.returncode == 2
    compose = (REPOSITORY / "docker-compose.yml").read_text()
    for name in ("TAILRACE_MONGODB_PORT", "TAILRACE_AWS_PORT", "TAILRACE_HTTP_PORT"):
        assert f"${{{name}:-" in compose
        assert f"{name}=" in done.stderr
    assert "make down" in done.stderr
