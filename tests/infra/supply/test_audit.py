"""The audit fails on findings and reports what it could not check."""

import json
import tomllib
from pathlib import Path

import pytest

from infra.supply import audit

KNOWN = {"name": "urllib3", "version": "2.8.0", "vulns": []}
FAULTY = {"name": "urllib3", "version": "2.6.0", "vulns": [{"id": "CVE-2026-0001"}]}
SKIPPED = {"name": "urllib3", "skip_reason": "Dependency not found"}


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A pip-audit that prints a file, and a uv that resolves everything."""
    script(tmp_path / "uv")
    return tmp_path


def script(path: Path, text: str = "exit 0") -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def response(tools: Path, text: str) -> None:
    (tools / "answer.json").write_text(text)
    script(tools / "pip-audit", f"echo 'Name or service not known' >&2; cat {tools / 'answer.json'}")


@pytest.mark.parametrize(
    ("printed", "code", "said"),
    [
        (json.dumps({"dependencies": [KNOWN]}), 0, "no known advisory"),
        (json.dumps({"dependencies": [KNOWN, FAULTY, SKIPPED]}), 1, "urllib3 2.6.0: CVE-2026-0001"),
        (json.dumps({"dependencies": [KNOWN, SKIPPED]}), 0, "NOT AUDITED\n  the service does not know 1 of 2 packages"),
        (json.dumps({"dependencies": []}), 0, "NOT AUDITED"),
        ("", 0, "NOT AUDITED\n  Name or service not known"),
    ],
    ids=["clean", "an advisory", "a mirror without advisories", "nothing", "no network"],
)
def test_audit_result_for_each_response(
    printed: str, code: int, said: str, tools: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only an advisory exits with 1. Only a response about every package is called clean."""
    monkeypatch.delenv("TAILRACE_IMAGE", raising=False)
    response(tools, printed)
    assert audit.main(tools) == code
    lines = capsys.readouterr().out
    assert lines.count(said) == len(audit.LOCKS) + len(audit.EXTRAS) + (said == "NOT AUDITED")
    assert "the tailer's image: NOT AUDITED\n  TAILRACE_IMAGE names no image" in lines


def test_every_lock_and_every_extra_is_audited() -> None:
    project = tomllib.loads((audit.REPOSITORY / "pyproject.toml").read_text())["project"]
    assert set(audit.EXTRAS) == set(project["optional-dependencies"])
    assert set(audit.LOCKS) == {path.stem for path in (audit.REPOSITORY / "requirements").glob("*.txt")}


@pytest.mark.parametrize("scanner", audit.SCANNERS)
@pytest.mark.parametrize("code", [0, 1])
def test_image_is_scanned_when_a_scanner_is_installed(
    scanner: str, code: int, tools: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The packages of the base image are in no lock."""
    response(tools, json.dumps({"dependencies": [KNOWN]}))
    script(tools / scanner, f'echo "$@"; exit {code}')
    monkeypatch.setenv("TAILRACE_IMAGE", "tailrace/tailer")
    monkeypatch.setenv("PATH", f"{tools}:/bin:/usr/bin")
    assert audit.main(tools) == code
    assert " ".join([*audit.SCANNERS[scanner], "tailrace/tailer"]) in capfd.readouterr().out
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(audit, "_packages", lambda _: iter(()))
    assert audit.main(tools) == 0
    assert "none of grype, trivy is on PATH" in capfd.readouterr().out
