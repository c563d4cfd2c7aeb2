"""The message about a missing part says what was tried and what to do."""

import sys
from pathlib import Path

import pytest

from tailrace.dev.installed import emulators_python, mongod_binary
from tailrace.dev.workspace import StartFailed


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_given_mongod_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TAILRACE_MONGOD wins over PATH and the wheel."""
    given = script(tmp_path / "mongod", "echo db version v7.0.0")
    monkeypatch.setenv("TAILRACE_MONGOD", str(given))
    assert mongod_binary() == str(given)


def test_given_mongod_that_does_not_run_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never replaced silently. The message has its output and the remedy."""
    given = script(tmp_path / "mongod", "echo libcurl.so.4: cannot open shared object file >&2; exit 127")
    monkeypatch.setenv("TAILRACE_MONGOD", str(given))
    with pytest.raises(StartFailed, match=r"libcurl\.so\.4[^$]*make env[^$]*TAILRACE_MONGOD"):
        mongod_binary()


def test_wheel_is_used_when_the_mongod_on_path_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "environment/lib/python3.11/site-packages/fiftyone/db/bin"
    wheel.mkdir(parents=True)
    (tmp_path / "path").mkdir()
    script(tmp_path / "path/mongod", "exit 1")
    carried = script(wheel / "mongod", "echo db version v6.0.5")
    monkeypatch.delenv("TAILRACE_MONGOD", raising=False)
    monkeypatch.setenv("TAILRACE_EMULATORS", str(tmp_path / "environment/bin/python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert mongod_binary() == str(carried)


def test_missing_mongod_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TAILRACE_MONGOD", raising=False)
    monkeypatch.setenv("TAILRACE_EMULATORS", str(tmp_path / "bin/python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartFailed, match=r"none on PATH[^$]*make env"):
        mongod_binary()


def test_emulators_are_in_the_sibling_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless TAILRACE_EMULATORS names another."""
    monkeypatch.delenv("TAILRACE_EMULATORS", raising=False)
    assert emulators_python().parent.parent == Path(f"{sys.prefix}-emulators")
    monkeypatch.setenv("TAILRACE_EMULATORS", sys.executable)
    assert emulators_python() == Path(sys.executable)


def test_missing_emulators_name_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILRACE_EMULATORS", str(tmp_path / "python"))
    with pytest.raises(StartFailed, match="make env"):
        emulators_python()
