"""The command ``tailrace``: its table, its help, and what it hands on to the tailer and the forwarder."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tailrace.cli import program
from tailrace.cli.commands import COMMANDS, SECTIONS, Command
from tailrace.version import __version__
from tests.tailrace.cli import broken

SAMPLE = Path(__file__).parents[2] / "samples" / "wire" / "v1" / "update.json"


def tailrace(*words: str) -> Result:
    return CliRunner().invoke(program.tailrace, words, prog_name="tailrace")


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the commands of ``broken.py`` to the table."""
    for name in ("wrong", "absent", "unwritable"):
        monkeypatch.setitem(COMMANDS, name, Command(name=name, summary="", where=f"{broken.__name__}:{name}", extra="cdk"))
    monkeypatch.setitem(
        COMMANDS, "gone", Command(name="gone", summary="", where=f"{broken.__package__}.gone:gone", extra="cdk")
    )


def test_help_lists_every_command_in_its_section_and_imports_none() -> None:
    """The help shows within a moment, whatever a command imports."""
    shows = "from tailrace.cli.program import tailrace; tailrace(['--help'], standalone_mode=False)"
    code = f"import sys; {shows}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    shown, modules = done.stdout.rstrip("\n").rsplit("\n", 1)
    assert all(f"  {name}  " in shown for name in COMMANDS)
    assert [section for section, commands in SECTIONS.items() if (f"\n{section}:\n" in shown) != bool(commands)] == []
    assert not {"tailer", "lambda_forwarder", "pydantic", "boto3", "tailrace_cdk"} & set(modules.split())


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_has_a_help_with_examples(command: Command) -> None:
    done = tailrace(command.name, "--help")
    assert done.exit_code == 0, done.output
    assert "examples:\n" in done.output


def test_version_is_the_distributions() -> None:
    assert tailrace("--version").output == f"tailrace, version {__version__}\n"


def test_misspelt_command_is_reported_with_the_most_similar_one() -> None:
    done = tailrace("stats")
    assert done.exit_code == 2
    assert "Did you mean 'status'?" in done.output


def test_command_is_passed_on_with_its_arguments_and_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options of the other program, ``--`` included, reach it as they were typed."""
    monkeypatch.setenv("FORWARDER_MAPPERS", "examples.payments.events:MAPPERS")
    assert tailrace("try", str(SAMPLE)).exit_code == 0
    assert "PaymentCancelled" in tailrace("try", "--json", "--", str(SAMPLE)).output
    assert tailrace("try", "no-such-file.json").exit_code == 2
    assert "tailrace checkpoint rewind" in tailrace("checkpoint", "rewind", "--help").output


@pytest.mark.parametrize("command", ["try", "redrive"])
def test_help_of_the_forwarder_names_tailrace(command: str) -> None:
    """What the help says to type is what was typed."""
    shown = tailrace(command, "--help").output
    assert f"usage: tailrace {command} " in shown
    assert "python -P" not in shown


@pytest.mark.usefixtures("listed")
def test_what_the_user_can_correct_is_reported_without_a_traceback() -> None:
    """The control characters of its text are escaped."""
    done = tailrace("wrong")
    assert done.exit_code == 2
    assert done.output == "tailrace wrong: mappers \\u001b[2J: no such module\n"


@pytest.mark.usefixtures("listed")
def test_file_that_cannot_be_written_is_named_without_a_traceback(tmp_path: Path) -> None:
    """Whichever command writes it: the system's reason, and what to check."""
    done = tailrace("unwritable", str(tmp_path))
    assert done.exit_code == 2
    assert done.output.startswith(f"tailrace unwritable: {tmp_path}: Is a directory. Use a path ")


def test_try_uses_the_mappers_of_the_project_that_the_folder_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless FORWARDER_MAPPERS names others."""
    (tmp_path / "tailrace.toml").write_text('mappers = "shop_of_this_test:MAPPERS"')
    (tmp_path / "shop_of_this_test.py").write_text("MAPPERS = {'payments': (lambda change: None,)}")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("FORWARDER_MAPPERS", "")  # the command sets it for its process, so that it must be restored here
    monkeypatch.delenv("FORWARDER_MAPPERS")
    assert "PaymentCancelled" not in tailrace("try", str(SAMPLE)).output
    monkeypatch.setenv("FORWARDER_MAPPERS", "examples.payments.events.payments:MAPPERS")
    assert "PaymentCancelled" in tailrace("try", str(SAMPLE)).output


@pytest.mark.usefixtures("listed")
def test_missing_package_is_reported_with_the_extra_that_installs_it() -> None:
    done = tailrace("gone")
    assert done.exit_code == 2
    assert "tailrace gone: the package no_such_package is not installed" in done.output
    assert "pip install 'tailrace[cdk]'" in done.output


@pytest.mark.usefixtures("listed")
def test_fault_of_ours_is_not_reported_as_a_missing_package() -> None:
    """A misspelt import of our own shows its traceback."""
    assert isinstance(tailrace("absent").exception, AttributeError)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_for_a_shell_calls_tailrace(shell: str) -> None:
    assert f"_TAILRACE_COMPLETE={shell}_complete" in tailrace("completion", shell).output


def test_commands_and_options_are_completed() -> None:
    """By a process with the variables that the script sets."""
    code = "from tailrace.cli.__main__ import main; main()"
    for typed, completed in {
        "tailrace ch": "plain,checkpoint\nplain,change-streams\n",
        "tailrace --v": "plain,--version\n",
    }.items():
        variables = {"COMP_WORDS": typed, "COMP_CWORD": "1", "_TAILRACE_COMPLETE": "bash_complete"}
        done = subprocess.run([sys.executable, "-P", "-c", code], env=variables, capture_output=True, text=True, check=True)
        assert done.stdout == completed


def test_program_without_click_names_the_extra_that_installs_it() -> None:
    code = "import sys; sys.modules['click'] = None; from tailrace.cli.__main__ import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "tailrace: the package click is not installed. Install it: pip install 'tailrace[dev]'\n"
