"""The design page names exactly the settings, commands, wire fields, errors, metrics and handlers of the code."""

import json
import pkgutil
import re
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, get_args

import botocore.session
import pytest
from msgspec import Struct
from msgspec.structs import fields

import examples.payments.events as example
import lambda_forwarder.errors
import tailer.errors
from lambda_forwarder.__main__ import _parser as forwarder
from lambda_forwarder.settings import Settings as ForwarderSettings
from tailer.cli.arguments import parser as tailer_parser
from tailer.settings.settings import Settings as TailerSettings
from tailrace.change import Change
from tailrace.events import DomainEvent
from tailrace.metadata import Metadata
from tailrace.metrics import FORWARDER, TAILER
from tailrace.wire.message import Envelope

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "reference/design.md").read_text()
WORDS = set(re.findall(r"`([^`\n]+)`", PAGE))
ENVELOPE, CHANGE, DETAIL = (json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


def test_design_lists_every_setting() -> None:
    """And no other."""
    named = {word.partition("=")[0] for word in WORDS if re.match(r"(TAILER|FORWARDER)_", word)}
    ours = {f"TAILER_{name.upper()}" for name in TailerSettings.model_fields}
    ours |= {f"FORWARDER_{name.upper()}" for name in ForwarderSettings.model_fields}
    assert named == ours


@pytest.mark.parametrize(
    ("program", "parser"),
    [("tailer", tailer_parser(lambda *_: 0)), ("python -P -m lambda_forwarder", forwarder())],
    ids=["tailer", "forwarder"],
)
def test_design_lists_every_command(program: str, parser: ArgumentParser) -> None:
    """And no other."""
    assert {word for word in WORDS if word.startswith(f"{program} ")} == set(commands(parser, program))


def commands(parser: ArgumentParser, words: str) -> Iterator[str]:
    choices = next((action.choices for action in parser._actions if isinstance(action.choices, Mapping)), None)
    for name, inner in (choices or {}).items():
        yield from commands(inner, f"{words} {name}")
    if not choices:
        yield words


def test_design_shows_the_fields_of_a_change() -> None:
    """With the fields of its parts."""
    assert names_in(CHANGE, Change) == names_of(Change)


def test_design_shows_the_fields_of_the_envelope_and_the_metadata() -> None:
    """By their names on the wire and on the bus."""
    assert set(ENVELOPE) == {field.encode_name for field in fields(Envelope)}
    assert set(DETAIL) == {"metadata", "data"}
    assert set(DETAIL["metadata"]) == {field.encode_name for field in fields(Metadata)}


def names_in(value: Mapping[str, Any], kind: type[Struct]) -> dict[str, Any]:
    """Return the names in a JSON object, and those of nested objects that are not documents."""
    parts = {field.encode_name: inner for field in fields(kind) if (inner := struct(field.type))}
    return {name: names_in(held, parts[name]) if name in parts else None for name, held in value.items()}


def names_of(kind: type[Struct]) -> dict[str, Any]:
    return {field.encode_name: names_of(inner) if (inner := struct(field.type)) else None for field in fields(kind)}


def struct(annotation: Any) -> type[Struct] | None:
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Struct)), None)


@pytest.mark.parametrize("module", [tailer.errors, lambda_forwarder.errors], ids=lambda module: module.__name__)
def test_design_lists_every_error(module: ModuleType) -> None:
    """Except the base classes."""
    [table] = re.findall(rf"`{module.__name__.replace('.', '/')}\.py`\) \| reaction \|\n(.*?)\n\n", PAGE, re.DOTALL)
    named = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    own = {name for name, held in vars(module).items() if isinstance(held, type) and held.__module__ == module.__name__}
    assert named == own - {"TailerError", "ForwarderError"}


def test_every_capitalised_name_exists() -> None:
    """Metrics, events and errors of ours; members of SQS and EventBridge."""
    ours = {*TAILER, *FORWARDER, *vars(tailer.errors), *vars(lambda_forwarder.errors)}
    ours |= {event.__name__ for event in DomainEvent.__subclasses__()}
    assert example.MAPPERS, "its events are among them"
    aws = {member for service in ("sqs", "events", "eventbridgev2") for member in members(service)}
    named = {word for word in WORDS if re.fullmatch(r"(?:[A-Z][a-z]+)+", word)}
    assert {"Lag", "MessageGroupId", "PaymentCancelled"} <= named
    assert named - ours - aws == set()


def members(service: str) -> Iterator[str]:
    model = botocore.session.get_session().get_service_model(service)
    for name in model.shape_names:
        yield from getattr(model.shape_for(name), "members", {})


@pytest.mark.parametrize("page", ["reference/design", "concepts/architecture"])
def test_quoted_lines_of_the_loop_match_the_code(page: str) -> None:
    """The pages quote the lines that are the guarantee: send, then save."""
    quoted = re.findall(r"^ +((?:lease|sink)\.\w+\(.*\))$", (DOCS / f"{page}.md").read_text(), re.MULTILINE)
    loop = re.findall(r"^ +((?:lease|sink)\.\w+\(.*\))$", (DOCS.parent / "tailer/streaming/tail.py").read_text(), re.MULTILINE)
    start = loop.index(quoted[1])
    assert quoted == loop[start - 1 : start + 2]


def test_every_documented_handler_can_be_imported() -> None:
    """As Lambda imports it."""
    handlers = {word for word in WORDS if word.endswith(".handler")}
    assert len(handlers) > 1
    assert all(callable(pkgutil.resolve_name(handler)) for handler in handlers)
