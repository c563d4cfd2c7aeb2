"""The message about a missing part says what was tried and what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from tailrace.dev import emulators_environment
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
    with pytest.raises(StartFailed, match=r"libcurl\.so\.4[^$]*--mongodb URI[^$]*TAILRACE_MONGOD"):
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
    with pytest.raises(StartFailed, match=r"none on PATH[^$]*docker compose up"):
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


@pytest.fixture
def outside_a_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that ``make env`` did not make, and a lock of no package. Return the lock."""
    monkeypatch.delenv("TAILRACE_EMULATORS", raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lock = tmp_path / "lock.txt"
    lock.write_text("# nothing\n")
    monkeypatch.setattr(emulators_environment, "lock", lambda: lock)
    return lock


def test_environment_is_made_in_the_cache_once(outside_a_clone: Path) -> None:
    """It says where and for how long, and only the first time. Another lock is another environment."""
    said: list[str] = []
    python = emulators_python(said.append)
    assert emulators_python(said.append) == python
    assert outside_a_clone.parent / "cache/tailrace" in python.parents
    assert subprocess.run(
        [python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    ).stdout == (f"{python.parents[1]}\n")
    [line] = said
    assert str(python.parents[1]) in line
    outside_a_clone.write_text("# another\n")
    assert emulators_environment.folder() != python.parents[1]


def test_environment_that_cannot_be_made_leaves_nothing(outside_a_clone: Path) -> None:
    """The message has the output of pip."""
    outside_a_clone.write_text("not a requirement\n")
    with pytest.raises(StartFailed, match=r"pip said:[^$]*not a requirement"):
        emulators_python()
    assert list((outside_a_clone.parent / "cache/tailrace").iterdir()) == []
