"""What a person mistypes, forgets or breaks: every command of ``tailrace`` names it, and what to do, in one form."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tailrace.cli import program
from tailrace.cli.commands import COMMANDS

WORDS = {  # with which a command needs nothing more but its project or its settings
    "init": ["shop", "--collection", "orders"],
    "dev": [],
    "try": ["sample.json"],
    "schemas": ["check"],
    "package": [],
    "synth": ["trial"],
    "template": ["trial"],
    "status": [],
    "checkpoint": ["show"],
    "change-streams": ["show"],
    "redrive": [],
}
IN_A_PROJECT = ("dev", "try", "schemas", "package", "synth", "template", "redrive")  # without one they have settings to name
WITHOUT_WORDS = {  # the words of the error of a command that is typed alone, outside of a project
    "init": "Missing argument 'NAME'",
    "dev": "tailrace init NAME",
    "try": "- for standard input, or --queue URL",
    "schemas": "Missing command",
    "package": "tailrace init NAME",
    "synth": "Missing argument 'ENVIRONMENT'",
    "template": "Missing argument 'ENVIRONMENT'",
    "status": "TAILER_MONGODB_URI",
    "checkpoint": "the following arguments are required: COMMAND",
    "change-streams": "the following arguments are required: COMMAND",
    "redrive": "FORWARDER_PARKING_QUEUE_URL",
    "completion": "Missing argument '{bash|zsh|fish}'",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, without settings in the environment. A command may change both for this process."""
    for name in [name for name in os.environ if name.startswith(("TAILER_", "FORWARDER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FORWARDER_MAPPERS", "")
    monkeypatch.delenv("FORWARDER_MAPPERS")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(*words: str) -> str:
    """Return what a command prints to standard error. It ends as with a mistake, and reports it in the one form."""
    done = CliRunner().invoke(program.tailrace, words, prog_name="tailrace")
    assert done.exit_code == 2, shown(done)
    assert isinstance(done.exception, SystemExit), shown(done)
    first, *others = done.stderr.splitlines()
    assert first.startswith(f"tailrace {words[0]}"), done.stderr
    assert ": " in first
    assert [line for line in others if not line.startswith("  ")] == []
    return done.stderr


def shown(done: Result) -> str:
    return f"{done.output}\n{done.exception!r}"


def test_tailrace_alone_shows_its_help() -> None:
    done = CliRunner().invoke(program.tailrace, [], prog_name="tailrace")
    assert (done.exit_code, done.stderr[:16]) == (2, "Usage: tailrace "), shown(done)


def test_table_has_every_command() -> None:
    """A new command is tried too."""
    assert {*WORDS, "doctor", "completion"} == COMMANDS.keys()
    assert {*WITHOUT_WORDS, "doctor"} == COMMANDS.keys()


@pytest.mark.parametrize("command", WITHOUT_WORDS)
def test_command_alone_names_what_is_missing(command: str) -> None:
    assert WITHOUT_WORDS[command] in refused(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_option_is_named_with_the_usage_and_examples(command: str) -> None:
    """Of the command that was typed."""
    error = refused(command, *WORDS.get(command, []), "--no-such-option")
    assert "--no-such-option" in error
    assert f"\n  usage: tailrace {command}" in error
    assert f"\n  examples:\n    tailrace {command}" in error


@pytest.mark.parametrize("command", IN_A_PROJECT)
def test_project_without_settings_is_named_with_the_setting(folder: Path, command: str) -> None:
    (folder / "tailrace.toml").write_text("")
    error = refused(command, *WORDS[command])
    assert f"{folder}/tailrace.toml: 1 setting needs attention:\n  mappers" in error


@pytest.mark.parametrize("command", IN_A_PROJECT)
def test_broken_toml_is_named_with_its_place_and_the_remedy(folder: Path, command: str) -> None:
    (folder / "tailrace.toml").write_text('name = "shop"\nmappers = "events:MAPPERS\n')
    error = refused(command, *WORDS[command])
    assert f"{folder}/tailrace.toml cannot be read: " in error
    assert "(at line 2, column 26); correct that place: texts stand in quotes" in error


@pytest.mark.parametrize("command", ["status", "checkpoint", "change-streams"])
def test_setting_that_is_missing_is_named(command: str) -> None:
    assert re.search(r"\n  TAILER_MONGODB_URI +missing: URI of the replica set", refused(command, *WORDS[command]))


@pytest.mark.parametrize(("command", "code"), [("init shop", 2), ("try -", 0)])
def test_closed_standard_input_is_no_crash(folder: Path, command: str, code: int) -> None:
    """As in a job without a terminal: it is as good as empty."""
    (folder / "events.py").write_text("MAPPERS = {}")
    words = [sys.executable, "-P", "-m", "tailrace.cli", *command.split()]
    environment = {**os.environ, "FORWARDER_MAPPERS": "events:MAPPERS", "PYTHONPATH": "."}
    closed = ["sh", "-c", 'exec "$@" <&-', "sh", *words]
    done = subprocess.run(closed, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(f"tailrace {command.split()[0]}: "), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_ends_a_command_without_a_word(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """With the exit code of a shell."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "load", interrupted)
    done = CliRunner().invoke(program.tailrace, [command], prog_name="tailrace")
    assert (done.exit_code, done.output.strip()) == (130, ""), shown(done)
