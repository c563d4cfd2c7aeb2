"""What make hands on, and what it says when that fails."""

import os
import subprocess
from pathlib import Path

from infra.package import REPOSITORY


def make(*words: str, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run it, as in a shell that says nothing of its own; with the programs of this folder before all others."""
    shell = {
        name: value for name, value in os.environ.items() if name not in ("ENVIRONMENT", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    }
    if path:
        shell["PATH"] = f"{path}{os.pathsep}{shell['PATH']}"
    return subprocess.run(["make", *words], cwd=REPOSITORY, env=shell, capture_output=True, text=True, check=False)


def test_only_synth_has_an_environment_of_its_own_choice() -> None:
    """What changes an account, or looks at one, names none unless its caller does."""
    assert "-m infra.cdk --environment '' deploy" in make("--dry-run", "deploy").stdout
    assert "-m infra.cdk --environment '' diff" in make("--dry-run", "diff").stdout
    assert "-m infra.cdk --environment 'mine' deploy" in make("--dry-run", "deploy", "ENVIRONMENT=mine").stdout
    assert "-m infra --environment 'trial'" in make("--dry-run", "synth").stdout
    assert "-m infra.cdk bootstrap" in make("--dry-run", "bootstrap").stdout


def test_the_list_of_targets_takes_no_production_for_granted() -> None:
    """Somebody reads it, and types what it says."""
    listed = make("help").stdout
    assert "ENVIRONMENT=mine" in listed
    assert "production" not in listed


def test_what_did_not_come_up_says_what_to_do(tmp_path: Path) -> None:
    """Which variables move the ports, and what removes the half that did come up."""
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
