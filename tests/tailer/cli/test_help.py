"""The help fits the terminal and explains every setting, and its examples are valid commands."""

import shlex
import subprocess
import sys
from importlib.metadata import version

import pytest

from tailer.cli.arguments import EXAMPLES, parser, run_command
from tailer.cli.commands import COMMANDS
from tailer.settings.settings import Settings


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_help_explains_every_setting(columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Once, with its meaning and default, and the exit codes."""
    monkeypatch.setenv("COLUMNS", str(columns))
    text = help_of("run", capsys=capsys)
    named = [line.strip() for line in text.splitlines() if line.startswith("  TAILER_")]
    assert sorted(named) == sorted(f"TAILER_{name.upper()}" for name in Settings.model_fields)
    assert "(default 128)" in text
    assert "3 history lost" in " ".join(text.split())
    assert [line for line in text.splitlines() if len(line) > columns and " " in line.strip()] == []


HELPED = {"": EXAMPLES, **{command.name: command.examples for command in (*COMMANDS, run_command(lambda *_: 0))}}


@pytest.mark.parametrize("command", HELPED)
def test_every_example_of_the_help_is_valid(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of its command shows it."""
    text = help_of(*command.split(), capsys=capsys)
    for example in HELPED[command]:
        assert f"  {example}\n" in text
        program, *words = shlex.split(example)
        assert program == "tailer"
        if "--help" not in words:
            parser(lambda *_: 0).parse_args(words)


def help_of(*command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit, match="0"):
        parser(lambda *_: 0).parse_args([*command, "--help"])
    return capsys.readouterr().out


def test_help_of_accept_gap_says_what_its_position_means(capsys: pytest.CaptureFixture[str]) -> None:
    """A position may be where the gap begins or where it ends, and without one the stream continues somewhere too."""
    text = " ".join(help_of("checkpoint", "accept-gap", capsys=capsys).split())
    assert "--to TO where the stream continues: beginning" in text
    assert "(default: the oldest history there is, else now)" in text


@pytest.mark.parametrize("module", ["tailer", "lambda_forwarder"])
def test_version_is_that_of_the_distribution(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{module} {version('tailrace')}\n"
