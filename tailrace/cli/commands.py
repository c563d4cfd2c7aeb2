"""The table of the commands of ``tailrace``. ``program.py`` imports the module of a command when the command is typed."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Command:
    """
    A command as it is typed after ``tailrace``.

    ``where`` is "module:name" of its click command. ``extra`` is the extra of this distribution that installs what it imports.
    """

    name: str
    summary: str
    where: str
    extra: str = "dev"


_TAILER = "tailrace.cli.passed_on:tailer"
_FORWARDER = "tailrace.cli.passed_on:forwarder"

SECTIONS: dict[str, tuple[Command, ...]] = {
    "Start": (
        Command(name="init", summary="write a new project, with one event of a collection", where="tailrace.cli.init:init"),
        Command(name="dev", summary="run this project's whole system on this machine", where="tailrace.cli.dev:dev"),
    ),
    "Events": (
        Command(name="try", summary="show the events that a change would produce", where=_FORWARDER),
        Command(name="schemas", summary="write or check the contract with other teams", where="tailrace.cli.schemas:schemas"),
    ),
    "Deploy": (
        Command(
            name="package",
            summary="build the package of this project for Lambda, and check it",
            where="tailrace.cli.package:package",
        ),
        Command(
            name="synth",
            summary="make the stack of an environment for the CDK, and check it",
            where="tailrace.cli.synth:synth",
            extra="cdk",
        ),
        Command(
            name="template",
            summary="write the stack of an environment as a CloudFormation template, for Terraform",
            where="tailrace.cli.template:template",
            extra="cdk",
        ),
    ),
    "Operate": (
        Command(name="status", summary="who tails each stream, how far behind, how much history is left", where=_TAILER),
        Command(
            name="doctor",
            summary="check the project and everything a tailer needs, and name the remedy for what fails",
            where="tailrace.cli.doctor:doctor",
        ),
        Command(name="checkpoint", summary="show a stream's position, or decide where it goes on", where=_TAILER),
        Command(name="change-streams", summary="show, enable or disable what DocumentDB keeps for the streams", where=_TAILER),
        Command(name="redrive", summary="publish parked changes and dead letters again", where=_FORWARDER),
    ),
    "Shell": (
        Command(
            name="completion",
            summary="print the script that completes commands in a shell",
            where="tailrace.cli.completion:completion",
        ),
    ),
}
"""Every command by the section of the help."""

COMMANDS = {command.name: command for commands in SECTIONS.values() for command in commands}
