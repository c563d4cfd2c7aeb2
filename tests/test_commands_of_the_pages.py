"""Every command on a page exists and parses, and imports nothing from the current folder."""

import importlib.util
import re
import shlex
from argparse import ArgumentParser
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ServiceModel

from lambda_forwarder.__main__ import _parser as forwarder
from tailer.cli.arguments import parser as tailer

ROOT = Path(__file__).parents[1]
PACKAGES = ("tailer", "lambda_forwarder", "infra", "devstack", "benchmarks", "examples", "tailrace", "tailrace_cdk")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
TEXTS = [*PAGES, *(path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))]
MEANT = {"TIME": "2026-11-22T08:00:00Z", "POSITION": "2026-11-22T08:00:00Z"}  # example values of placeholders
GLOBAL = {
    "query",
    "output",
    "region",
    "profile",
    "cli-binary-format",
    "no-cli-pager",
    "max-items",
}  # of the AWS command line itself
RENAMED = {"eventsv2": "eventbridgev2", "s3api": "s3"}  # a command → its service, where the names differ
HELPERS = {
    "cloudformation wait",
    "logs tail",
    "s3 cp",
    "s3 ls",
    "s3 rm",
    "ecs wait",
    "s3 sync",
}  # commands that are no operations


def commands(path: Path, program: str) -> Iterator[str]:
    """Yield the commands of the program, from backticks or lines of code, without comments and the rest of a pipe."""
    text = re.sub(r" *\\\n *", " ", path.read_text())
    fenced = re.findall(r"^```(?:sh|bash)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join([*fenced, *re.findall(r"^ {4,}\S.*$", text, re.MULTILINE)])
    begun = r"(?:^[ ]*|\$\(|\| |&& )"  # a line, a substitution, a part of a pipe
    found = [*re.findall(rf"`({program}(?: [^`]+)?)`", text), *re.findall(rf"{begun}({program} [^\n|`]*)", lines, re.MULTILINE)]
    for command in found:
        yield re.split(r"\s+#\s|\s{2,}(?=\S)|\s2?>", " ".join(command.split("\n")))[0].strip()


def test_nothing_is_imported_from_the_current_folder() -> None:
    """``python -m`` and ``python -c`` search there first, without ``-P``."""
    unsafe = re.compile(r"\bpython3? (?:-m (?!ministack)|-c\b).*")
    assert {path: found for path in TEXTS if (found := unsafe.findall(path.read_text()))} == {}


def test_every_documented_module_can_be_run() -> None:
    """A package has a main module."""
    named = {name for path in TEXTS for name in re.findall(r"\bpython3? -P -m ([a-z_.]+[a-z])", path.read_text())}
    assert {"lambda_forwarder", "infra.pages.costs", "tests.faults"} <= named
    for name in named:
        found = importlib.util.find_spec(name)
        assert found, name
        assert importlib.util.find_spec(f"{name}.__main__") if found.submodule_search_locations else found.origin, name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_of_the_tailer_parses(path: Path) -> None:
    """With all its options."""
    for command in commands(path, "tailer"):
        words = [MEANT.get(word, word) for word in shlex.split(command.replace("…", "x"))[1:]]
        if words and not words[0].startswith("["):
            parses(tailer(lambda *_: 0), words, command)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_of_the_forwarder_parses(path: Path) -> None:
    """The runbook's ``redrive`` is the forwarder's, with its settings."""
    for command in commands(path, "python -P -m lambda_forwarder"):
        words = shlex.split(command.partition(">")[0].replace('"$@"', ""))[4:]
        if words and words != ["redrive"]:
            parses(forwarder(), words, command)
    for command in commands(path, "redrive"):
        if re.match(r"redrive( --|$)", command):
            parses(forwarder(), shlex.split(command), command)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_target_and_variable_of_make_exists(path: Path) -> None:
    """An unknown variable would be ignored."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for command in commands(path, "make"):
        for word in command.split()[1:]:
            if word in ("&&", "."):
                break
            name = word.partition("=")[0]
            known = f"$({name})" in makefile or f"$(if $({name})" in makefile or f"$(or $({name})" in makefile
            assert name != "TESTS" or (ROOT / word.partition("=")[2]).exists(), command
            assert (known or name == "PYTHON") if "=" in word else word in targets or not re.fullmatch(r"[a-z][a-z-]*", word), (
                command
            )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_aws_command_has_a_known_operation_and_parameters(path: Path) -> None:
    """By AWS's own models."""
    for command in commands(path, "aws"):
        words = command.split()
        if len(words) < 3 or not re.fullmatch(r"[a-z0-9]+", words[1]) or " ".join(words[1:3]) in HELPERS:
            continue
        known = parameters(words[1], words[2])
        while "$(" in command and command != (outer := re.sub(r"\$\([^()]*\)", "X", command)):
            command = outer  # without nested commands
        given = re.findall(r"(?<=\s)--([a-z][a-z-]+)", command)
        assert {name.removeprefix("no-") for name in given} - GLOBAL - known - {f"no-{name}" for name in known} == set(), (
            command
        )


@cache
def parameters(service: str, operation: str) -> set[str]:
    """Return the options of a command as the command line spells them."""
    model: ServiceModel = botocore.session.get_session().get_service_model(RENAMED.get(service, service))
    [name] = [name for name in model.operation_names if xform_name(name, "-") == operation]
    shape = model.operation_model(name).input_shape
    return {xform_name(member, "-") for member in shape.members} if shape else set()


def parses(parser: ArgumentParser, words: list[str], command: str) -> None:
    """Assert that the command parses with its options; a command that is only named may omit its arguments."""
    named_only = "try" not in words[:-1] and not any(word.startswith("-") for word in words)
    code: int | str | None = 0
    try:
        parser.parse_args([*words, "--help"] if named_only else words)
    except SystemExit as ended:
        code = ended.code
    assert code == 0, command
