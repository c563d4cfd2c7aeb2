"""The demo shows events as they arrive, and its exit code is its verdict."""

import io
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pymongo import MongoClient

from devstack import DevStack, __main__, demo
from devstack.listener import Listener
from devstack.payments import Payments
from tailrace.dev.consumer import Consumer, Received
from tailrace.dev.screen import Screen
from tests.arrivals import arrival
from tests.eventually import eventually

REPOSITORY = Path(__file__).parents[2]


class Collection:
    """The part of a collection that Payments uses."""

    full_name = "payments.payments"

    def insert_one(self, document: dict[str, Any]) -> None: ...

    def update_one(self, selection: dict[str, Any], change: dict[str, Any]) -> None: ...


class GivenEvents(Consumer):
    """Receives the given events, once."""

    def __init__(self, *events: Received) -> None:
        self._events = list(events)

    def receive(self, wait: int = 1) -> list[Received]:
        events, self._events = self._events, []
        return events


class BrokenConsumer(Consumer):
    """Cannot receive."""

    def __init__(self) -> None: ...

    def receive(self, wait: int = 1) -> list[Received]:
        raise ConnectionError("the queue is gone")


@pytest.fixture
def payments() -> Payments:
    written = Payments(Collection())  # type: ignore[arg-type]
    written.cancel(written.create())
    return written


@pytest.fixture
def screen() -> Screen:
    return Screen(io.StringIO())


def expected_events(payments: Payments) -> Iterator[Received]:
    """Yield the events that the commits of these payments must cause."""
    for sequence, commit in enumerate(payments.committed, start=1):
        yield replace(arrival(commit.document, commit.event, sequence, str(sequence)), at=datetime.now(UTC))


def conclude(screen: Screen, payments: Payments, consumer: Consumer) -> tuple[int, str]:
    with Listener(consumer, screen, payments) as listener:
        code = demo._conclude(screen, payments, listener)
    out = screen._out
    assert isinstance(out, io.StringIO)
    return code, out.getvalue()


@pytest.mark.usefixtures("services")
def test_demo_shows_the_whole_path_and_exits_0() -> None:
    """Two buses, a kill, and every event with its document and latency."""
    run = subprocess.run(
        [sys.executable, "-m", "devstack", "demo"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "kill -9" in run.stdout
    assert run.stdout.count("PaymentCancelled  payments.payments/") >= 20
    assert "The verdict holds" in run.stdout
    assert "\x1b" not in run.stdout, "colour where nobody sees it"
    announced = ("installing ", "importing ")  # on a machine that takes long
    assert [line for line in run.stderr.splitlines() if not line.startswith(announced)] == []


@pytest.mark.usefixtures("services")
def test_up_shows_events_of_others_until_ctrl_c(tmp_path: Path) -> None:
    """`up` prints how to connect, and Ctrl-C stops everything with exit 0."""
    printed = tmp_path / "up.txt"
    with printed.open("w") as out:
        running = subprocess.Popen([sys.executable, "-m", "devstack", "up"], cwd=REPOSITORY, stdout=out, stderr=out)
    try:
        assert eventually(lambda: "Ctrl-C stops everything" in printed.read_text()), printed.read_text()
        uri = re.search(r"MongoDB +(\S+)", printed.read_text())
        assert uri
        client: MongoClient[dict[str, Any]]
        with MongoClient(uri[1]) as client:
            document = f"payments.payments/{Payments(client.payments.payments).create()}"
        assert eventually(lambda: f"PaymentCreated    {document}" in printed.read_text()), printed.read_text()
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=20) == 0
    finally:
        running.kill()
        running.wait()
    assert "Traceback" not in printed.read_text()


@pytest.mark.usefixtures("services")
def test_every_printed_command_runs_as_printed(tmp_path: Path) -> None:
    """
    In another folder, in a plain shell without our PATH: a payment is created and cancelled, both events arrive, the status is
    shown, and the doctor warns only of what the text beside it says.
    """
    with DevStack() as stack:
        stack.start_tailer().wait_ready()
        screen = Screen(io.StringIO())
        demo._explain(screen, stack)
        printed = screen._out.getvalue()  # type: ignore[attr-defined]
        output = {}
        for purpose, command in demo.commands(stack).items():
            assert f"\n    {command}\n" in printed
            run = subprocess.run(
                ["sh", "-c", command], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
            )
            assert run.returncode == 0, (command, run.stdout, run.stderr)
            output[purpose] = run.stdout
        events = stack.consumer().receive_until(lambda so_far: len(so_far) == 2, 20)
    assert [event.name for event in events] == ["PaymentCreated", "PaymentCancelled"]
    status, doctor = list(output.values())[2:]
    assert "secondsBehind" in status
    assert "a tailer answers on" in doctor
    assert set(re.findall(r"^(?:warn|FAIL) +(\S+)", doctor, re.MULTILINE)) <= {"queue.visibility", "stream.history"}
    assert "queue.visibility" in doctor


@pytest.mark.usefixtures("services")
def test_demo_runs_against_an_existing_system(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes to that system and checks what arrives. Compose runs this."""
    monkeypatch.setattr(demo, "PAYMENTS", 12)
    with DevStack() as stack:
        stack.start_tailer().wait_ready()
        monkeypatch.setenv("MONGODB_URI", stack.mongodb_uri)
        monkeypatch.setenv("AWS_ENDPOINT_URL", stack.aws.endpoint_url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", stack.emulator.key)
        assert demo.external(screen) == 0


def test_verdict_that_holds_exits_0(screen: Screen, payments: Payments) -> None:
    code, text = conclude(screen, payments, GivenEvents(*expected_events(payments)))
    assert code == 0
    assert "The verdict holds" in text


def test_verdict_that_does_not_hold_exits_1(screen: Screen, payments: Payments, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names what is missing after a bounded wait."""
    monkeypatch.setattr(demo, "ARRIVAL_SECONDS", 0.2)
    created, _ = expected_events(payments)
    code, text = conclude(screen, payments, GivenEvents(created))
    assert code == 1
    assert "gave up waiting" in text
    assert f"FAIL every change accounted for: 1 of 2 ({created.document} PaymentCancelled)" in text
    assert "THE VERDICT DOES NOT HOLD" in text


def test_repeated_event_is_marked(screen: Screen, payments: Payments) -> None:
    """The verdict still holds."""
    created, cancelled = expected_events(payments)
    code, text = conclude(screen, payments, GivenEvents(created, created, cancelled))
    assert code == 0
    assert text.count("again, same id") == 1


def test_events_of_other_writers_are_not_judged(screen: Screen, payments: Payments) -> None:
    """They are shown."""
    created, cancelled = expected_events(payments)
    other = arrival("payments.payments/other", created.name, 9)
    with Listener(GivenEvents(other, created, cancelled), screen, payments, alone=False) as listener:
        assert demo._conclude(screen, payments, listener) == 0
    assert len(listener.received) == 3


def test_broken_consumer_ends_the_demo(screen: Screen, payments: Payments) -> None:
    """The error of the listening thread is raised where the demo waits."""
    with Listener(BrokenConsumer(), screen, payments) as listener, pytest.raises(ConnectionError, match="the queue is gone"):
        listener.heard_all(1, seconds=5)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_is_used_only_on_a_terminal_that_wants_it(
    no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR is honoured."""
    monkeypatch.setenv("NO_COLOR", no_color)
    terminal = Terminal()
    Screen(terminal).step("kill -9", "red")
    assert ("\x1b[31m" in terminal.getvalue()) is coloured
    assert "kill -9" in terminal.getvalue()


@pytest.mark.parametrize("command", [["provision"], ["demo", "--external"], ["watch"]])
def test_commands_need_an_explicit_endpoint(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without AWS_ENDPOINT_URL nothing is called, so no real account is ever used."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("MONGODB_URI", raising=False)
    assert __main__.main(command) == 1
    assert "AWS_ENDPOINT_URL" in capsys.readouterr().err


def test_missing_emulator_is_reported_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`up` exits 1 without a traceback."""
    monkeypatch.setenv("TAILRACE_EMULATORS", str(tmp_path / "bin/python"))
    assert __main__.main(["up"]) == 1
    assert "make env" in capsys.readouterr().err
