"""Text of a document, a message, a server or a file is never printed or logged as terminal control characters."""

import io
import json
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import devstack.__main__ as devstack_command
import lambda_forwarder.__main__ as forwarder_command
from infra import __main__ as infra_command
from lambda_forwarder.errors import Misconfigured as ForwarderMisconfigured
from lambda_forwarder.logs import LegibleRecord
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.redriving.report import Mention, Report
from lambda_forwarder.trial import Trial
from tailer import logs
from tailer.checks import Check, Finding, fail
from tailer.cli import command_line
from tailer.doctor import json_object, line
from tailer.errors import Misconfigured
from tailer.health import probe
from tailer.output import as_json, as_text
from tailrace.dev.consumer import Received
from tailrace.dev.screen import Screen
from tailrace.dev.workspace import StartFailed
from tailrace.text.legible import legible, legible_traceback
from tailrace.text.terminal import say
from tailrace.wire.change import Namespace as Names
from tailrace_cdk import config as infra_config
from tests.arrivals import metadata
from tests.lambda_forwarder.values import inserted, redrive

HOSTILE = {
    "ESC": "\x1b[2J",
    "BEL": "\x07",
    "NUL": "\x00",
    "backspace": "\b",
    "carriage return": "\r",
    "newline": "\nCRITICAL forged",
    "vertical tab": "\v",
    "form feed": "\f",
    "separator": "\x1c",
    "DEL": "\x7f",
    "NEL": "\x85",
    "CSI of C1": "\x9b31m",
    "OSC of C1": "\x9d0;title\x9c",
    "soft hyphen": "\xad",
    "zero width": "\u200b",
    "direction mark": "\u200f",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "override": "\u202e",
    "isolate": "\u2066",
    "byte order mark": "\ufeff",
    "lone surrogate": "\ud800",
    "noncharacter": "\uffff",
    "tag": "\U000e0041",
}


class Place:
    """A place that prints a text from outside."""

    def __init__(self, name: str, prints: Callable[[str], str], *, json: bool = False) -> None:
        self.name, self.prints, self.json = name, prints, json


def logged(formatter: logging.Formatter, kind: type[logging.LogRecord] = logging.LogRecord) -> Callable[[str], str]:
    def log(text: str) -> str:
        error = ValueError(text)
        raised = (ValueError, error, error.__traceback__)
        record = kind("tailer", logging.WARNING, __file__, 1, "collection %s is gone", (text,), raised)
        if kind is logging.LogRecord:
            record.stream, record.collections = text, {text: [text]}
        return formatter.format(record)

    return log


class LambdaFormatter(logging.Formatter):
    """The JSON of Lambda's runtime, which keeps non-ASCII characters, and formats an error by itself."""

    def format(self, record: logging.LogRecord) -> str:
        assert record.exc_info
        line = {"message": record.getMessage(), "errorMessage": str(record.exc_info[1])}
        return json.dumps(line, ensure_ascii=False)


def forwarder_output(*arguments: str) -> Callable[[str], str]:
    """Return both outputs of a command for a change in which every free field holds the text."""

    def run(text: str) -> str:
        change = json.loads(msgspec.json.encode(inserted())) | {
            "ns": {"db": f"payments{text}", "coll": "payments"},
            "documentKey": {"_id": text},
        }
        change["fullDocument"] |= {"_id": text, "subscriptionId": text, text: text}
        return printed(lambda: forwarder_command.main([*arguments]), json.dumps(change))

    return run


def printed(act: Callable[[], object], given: str = "") -> str:
    """Return both outputs of a process that calls this."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(given))
        patch.setattr("sys.stdout", out)
        patch.setattr("sys.stderr", out)
        act()
    return out.getvalue()


def raises(error: Exception) -> Callable[..., Any]:
    def call(*_: Any, **__: Any) -> Any:
        raise error

    return call


def with_an_error(target: str, error: Callable[[str], Exception], act: Callable[[], object]) -> Callable[[str], str]:
    """Return what a command prints when something in it raises this error."""

    def run(text: str) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(target, raises(error(text)))
            return printed(act)

    return run


def screen_output(text: str) -> str:
    out = io.StringIO()
    screen = Screen(out)
    about = replace(metadata(text, text), operation=text)
    screen.step(text)
    screen.event(Received(name=text, source=text, metadata=about, data={}), None, text)
    screen.line(text.replace("\n", ""), "red", text.replace("\n", ""))  # Its lines are the demo's own.
    return out.getvalue()


def probe_output(text: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe, "_get", lambda *_: f"HTTP/1.0 503 no\n\n{text}")
        return printed(probe.main)


def a_trial(text: str) -> str:
    change = msgspec.structs.replace(inserted(), ns=Names(db=text, coll=text), operation_type=text)
    parked = Parked(id=text, reason=text, remedy=text, document=text, mapper=text)
    trial = Trial(change=change, entries=(), parked=(parked,), mappers=(text,), unmapped=text)
    return printed(lambda: forwarder_command._print([trial], as_json=False, by="try"))


def a_report(text: str) -> Report:
    one = Mention(queue=text, message_id=text, document=text, sequence=1, reason=text)
    counts = dict.fromkeys(("messages", "published", "late", "deduplicated", "parked", "unpublished", "left"), 1)
    return Report(dry_run=False, removals=(one,), leftovers=(one,), **counts)


def redriven(text: str, *, as_json: bool = False) -> str:
    redriver: Any = SimpleNamespace(redrive=lambda *_: a_report(text))
    return printed(lambda: redrive(["--json"] if as_json else [], lambda **_: redriver))


def a_finding(text: str) -> tuple[Check, Finding]:
    finding = fail(text, text)
    return Check(name="database.server", streams=(text,), run=lambda: finding, outage="", mistake=""), finding


def command_output(response: Callable[[str], str]) -> Callable[[str], str]:
    """Return what a command of the tailer prints for this result."""
    return lambda text: printed(lambda: say(response(text)))


def encodable(text: str) -> str:
    """Replace lone surrogates: a stored record and a queue's message are UTF-8."""
    return text.encode(errors="replace").decode()


CATALOGUE = with_an_error(
    "lambda_forwarder.catalogue.catalogue.write", ForwarderMisconfigured, lambda: forwarder_command.main(["catalogue"])
)


def misconfigured(text: str) -> str:
    return printed(lambda: redrive([], raises(ForwarderMisconfigured(text))))


PLACES = [
    Place("the tailer's log, text", logged(logs.Text())),
    Place("the tailer's log, JSON", logged(logs.JsonLines()), json=True),
    Place("the forwarder's log, in Lambda", logged(LambdaFormatter(), LegibleRecord), json=True),
    Place("the forwarder's log, at a terminal", logged(logging.Formatter(), LegibleRecord)),
    Place("an error that nobody foresaw", lambda text: legible_traceback(ValueError(text))),
    Place("tailer status", command_output(lambda text: as_text(text, {text: text, "gaps": [text]}))),
    Place(
        "tailer status --json",
        command_output(lambda text: as_json({text.replace("\ud800", ""): text.replace("\ud800", "")})),
        json=True,
    ),
    Place("tailer doctor", command_output(lambda text: line(*a_finding(text), several=True))),
    Place("tailer doctor --json", command_output(lambda text: json_object([a_finding(encodable(text))])), json=True),
    Place("tailer: error", lambda text: printed(lambda: command_line._failed(Misconfigured(text), "tailer"))),
    Place("tailer.health.probe", probe_output),
    Place("try", forwarder_output("try", "-")),
    Place("try --json", forwarder_output("try", "-", "--json")),
    Place("try, parked", a_trial),
    Place("redrive", redriven),
    Place("redrive --json", lambda text: redriven(encodable(text), as_json=True), json=True),
    Place("redrive: error", misconfigured),
    Place("catalogue", CATALOGUE),
    Place("the screen of the demo", screen_output),
    Place(
        "python -P -m devstack",
        with_an_error("devstack.demo.up", StartFailed, lambda: devstack_command.main(["up"])),
    ),
    Place(
        "python -P -m infra",
        with_an_error("infra.__main__.named", infra_config.Misconfigured, lambda: infra_command.main([])),
    ),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_foreign_text_controls_no_terminal(place: Place) -> None:
    """It is escaped as in JSON. A newline in it starts no line that could be mistaken for one of ours."""
    for name, hostile in HOSTILE.items():
        shown = place.prints(f"a{hostile}z")
        assert all(one.isprintable() or one == "\n" for one in shown), name
        assert not any(text.startswith("CRITICAL forged") for text in shown.split("\n"))
        assert "a" in shown
        if place.json:
            json.loads(shown)


@given(st.recursive(st.text() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_escaped_json_has_the_same_value(value: Any) -> None:
    """The escapes are JSON's own."""
    shown = legible(json.dumps(value, ensure_ascii=False, indent=1), lines=True)
    assert json.loads(shown) == value
    assert all(one.isprintable() or one == "\n" for one in shown)


@given(st.text())
def test_printable_text_is_unchanged(text: str) -> None:
    """In every language."""
    shown = legible(text)
    assert shown.isprintable()
    assert (shown == text) == text.isprintable()
