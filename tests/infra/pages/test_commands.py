"""The page of all commands is complete and current."""

from infra.pages import commands
from tailrace.cli.commands import COMMANDS


def test_commands_page_is_current() -> None:
    """``make docs`` writes it."""
    assert commands.PAGE.read_text() == commands.page()


def test_every_command_is_on_the_page() -> None:
    """Those of ``tailrace`` by their names, those of the tailer with their groups."""
    page = commands.page()
    assert [name for name in COMMANDS if f"`tailrace {name}`" not in page] == []
    for command in (
        "tailer run",
        "tailer checkpoint rewind",
        "tailer change-streams enable",
        "python -P -m lambda_forwarder try",
    ):
        assert f"### `{command}`" in page
