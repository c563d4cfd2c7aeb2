"""How looks are taken: each in its time, none for a cause that is known already, and whatever happens in one of them."""

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from devstack.loopback import HOST, free_port
from tailer.checklist import all_checks
from tailer.checks import Check, Finding, NotChecked, State, fail, not_allowed, ok, skip, warn
from tailer.doctor.command import hidden
from tailer.doctor.runner import TIMEOUT, exit_code, run
from tailer.errors import HistoryLost, LeaseLost, Misconfigured, Rejected, TailerError, Unavailable
from tailer.health import checks as health_checks
from tailer.health.health import Health
from tailer.health.http import endpoints
from tailer.health.progress import STALLED_AFTER
from tailer.metrics.prometheus import Families, Metrics
from tailer.model import Batch
from tailer.parts import Parts
from tailer.settings.settings import Settings
from tests.conformance.checkpoint_store import Clock
from tests.samples.changes import ORIGIN

Run = Callable[[], Finding]


def check_of(name: str, finding: Run, **arguments: Any) -> Check:
    return Check(name=name, run=finding, outage="wait", mistake="correct it", **arguments)


def examined(*checks: Check, clock: Clock | None = None) -> list[Finding]:
    return [finding for _, finding in run(checks, clock=clock or Clock())]


def raising(error: Exception) -> Run:
    def look() -> Finding:
        raise error

    return look


@pytest.mark.parametrize("outcome", [fail("broken"), skip("unseen")])
def test_what_depends_on_a_failure_is_not_looked_at(outcome: Finding) -> None:
    """One cause, one failure; what does not depend on it is looked at."""
    first = check_of("first", lambda: outcome)
    second = check_of("second", raising(AssertionError("looked")), needs=("first",))
    third = check_of("third", raising(AssertionError("looked")), needs=("second",))
    other = check_of("other", lambda: ok("good"))
    findings = examined(first, second, third, other)
    assert [finding.state for finding in findings] == [outcome.state, State.SKIP, State.SKIP, State.OK]
    assert "first must pass first" in findings[1].found


def test_a_warning_stops_nothing() -> None:
    """What it depends on works."""
    first = check_of("first", lambda: warn("so so", "mend it"))
    assert examined(first, check_of("second", lambda: ok("good"), needs=("first",)))[1].state is State.OK


def test_a_look_that_hangs_is_given_up_and_the_next_is_taken() -> None:
    """It fails as an outage, or with the words that it has for this."""
    never = threading.Event()
    hanging = check_of("hanging", lambda: ok(str(never.wait(60))), seconds=0.05)
    known = check_of("known", lambda: ok(str(never.wait(60))), seconds=0.05, late=warn("slow", "wait"))
    findings = examined(hanging, known, check_of("next", lambda: ok("good")))
    assert [finding.state for finding in findings] == [State.FAIL, State.WARN, State.OK]
    assert findings[0].exit_code == 1
    never.set()


def test_all_of_it_is_over_in_a_minute() -> None:
    """Who is on call does not wait for a doctor: what is left then is skipped."""
    clock = Clock()

    def slow() -> Finding:
        clock.now += TIMEOUT
        return ok("at last")

    findings = examined(check_of("slow", slow), check_of("late", lambda: ok("good")), clock=clock)
    assert [finding.state for finding in findings] == [State.OK, State.SKIP]
    assert TIMEOUT < 60


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Misconfigured("a setting"), 2),
        (HistoryLost("gone"), 3),
        (Rejected("never"), 4),
        (Unavailable("later"), 1),
        (LeaseLost("not ours"), 1),
        (ZeroDivisionError("a mistake of ours"), 1),
    ],
)
def test_an_error_is_a_failure_with_the_code_of_run(error: Exception, code: int) -> None:
    """Nothing ends the doctor early; the words are kept."""
    [finding] = examined(check_of("look", raising(error)))
    assert (finding.state, finding.exit_code) == (State.FAIL, code)
    assert str(error) in finding.found


def test_a_missing_right_is_no_failure() -> None:
    """It is named, and the exit code is that of what could be seen."""
    [finding] = examined(check_of("look", raising(NotChecked(not_allowed("lambda:ListEventSourceMappings")))))
    assert finding.state is State.SKIP
    assert "lambda:ListEventSourceMappings" in finding.remedy
    assert exit_code([finding]) == 0


@pytest.mark.parametrize("error", [Misconfigured, HistoryLost, Rejected, Unavailable, LeaseLost, ZeroDivisionError])
def test_no_failure_comes_without_a_remedy(stored: Settings, error: type[Exception]) -> None:
    """Whatever check it is of, and however it failed: who is on call reads what to do."""
    broken = [replace(check, run=raising(error("no")), needs=()) for check in every_check(stored)]
    results = list(run(broken, clock=Clock()))
    assert len(results) > 25
    assert {finding.state for _, finding in results} == {State.FAIL}
    assert [check.name for check, finding in results if not finding.remedy] == []


def test_a_check_that_gets_no_response_says_which_neighbour_to_look_at(stored: Settings) -> None:
    """Every time-out names one; what is no neighbour is this process itself."""
    never = threading.Event()
    late = [
        replace(check, run=lambda: ok(str(never.wait(60))), needs=(), seconds=0.01)
        for check in every_check(stored)
        if check.late is None
    ]
    remedies = {check.name: finding.remedy for check, finding in run(late, clock=Clock())}
    never.set()
    neighbours = {"database": "database", "checkpoints": "TAILER_CHECKPOINTS", "queue": "SQS", "claims": "S3"}
    for name, text in remedies.items():
        assert neighbours.get(name.partition(".")[0], "") in text
        assert text
    assert {name.partition(".")[0] for name in remedies} >= set(neighbours)


@pytest.mark.parametrize(
    ("checkpoints", "outage", "mistake"),
    [
        ("dynamodb://state", "VPC endpoint", "aws dynamodb list-tables"),
        ("mongodb:", "the database", "grant the user of TAILER_MONGODB_URI readWrite on the database tailrace"),
        ("mongodb://elsewhere/", "the server in TAILER_CHECKPOINTS", "grant its user readWrite on the database tailrace"),
        ("file:///var/state.json", "has space left", "write the file and its folder"),
    ],
)
def test_each_kind_of_store_has_remedies_of_its_own(stored: Settings, checkpoints: str, outage: str, mistake: str) -> None:
    """A full disk is not mended with a VPC endpoint, nor a user of a database with a task's role."""
    settings = Settings(**{**stored.model_dump(), "checkpoints": checkpoints})
    for error, words in ((Unavailable, outage), (Misconfigured, mistake)):
        looks = [replace(check, run=raising(error("no")), needs=()) for check in every_check(settings)]
        remedies = [finding.remedy for check, finding in run(looks, clock=Clock()) if check.name.startswith("checkpoints.")]
        assert len(remedies) == 3
        for remedy in remedies:
            assert words in remedy
            assert ("AWS" in remedy or "aws" in remedy) == checkpoints.startswith("dynamodb:")


def test_a_remedy_of_a_look_is_kept() -> None:
    """It knows better than what helps against most."""
    [finding] = examined(check_of("queue.exists", lambda: fail("broken", "mend it")))
    assert finding.remedy == "mend it"


def every_check(settings: Settings) -> list[Check]:
    """As the doctor would make them, and none of them looked at yet."""

    def clients(service: str) -> Any:
        raise AssertionError(f"{service} was asked")

    return all_checks([Parts(settings, aws=clients)])


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([], 0),
        ([Unavailable], 1),
        ([Unavailable, HistoryLost], 3),
        ([Rejected, HistoryLost], 3),
        ([HistoryLost, Misconfigured, Unavailable], 2),
    ],
)
def test_the_exit_code_is_what_run_would_end_with(errors: list[type[TailerError]], code: int) -> None:
    """First what it would refuse to start for, then what would stop it, then what it would wait for."""
    findings = [fail("x", error=error) for error in errors]
    assert exit_code([*findings, warn("y", "z")]) == code


def test_sign_ins_are_taken_out_of_every_text() -> None:
    """Should a library ever repeat a URI; what merely equals a password tells nothing and stays."""
    assert hidden("mongodb://user:hunter2@host/ is wrong") == "mongodb://***@host/ is wrong"
    assert hidden("not mongodb+srv://hunter2@host") == "not mongodb+srv://***@host"


def test_a_port_is_free_or_a_tailers_or_in_the_way(health: Health) -> None:
    """A doctor in a running task finds its tailer there; another program would keep a tailer from starting."""
    assert health_checks.port("127.0.0.1", 0).found == "none: TAILER_HTTP_PORT is 0"
    port = free_port()
    assert health_checks.port(HOST, port).state is State.OK
    with endpoints(HOST, port, health, Families()):
        health.standing_by()
        found = health_checks.port(HOST, port)
        assert found.state is State.OK
        assert "a tailer answers" in found.found
    with socket.create_server((HOST, 0)) as other:
        verdict = health_checks.port(HOST, other.getsockname()[1])
    assert (verdict.state, verdict.exit_code) == (State.FAIL, 2)


def test_a_port_that_is_held_in_silence_may_be_a_hung_tailers() -> None:
    """To choose another port would leave it there, with its lease and all."""
    with socket.create_server((HOST, 0)) as hung:
        verdict = health_checks.port(HOST, hung.getsockname()[1])
    assert "does not respond" in verdict.found
    assert "a hung tailer" in verdict.found
    assert verdict.remedy.startswith("end a hung tailer")
    with HTTPServer((HOST, 0), Talkative) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        assert "a program that is not a tailer" in health_checks.port(HOST, server.server_port).found
        server.shutdown()


class Talkative(BaseHTTPRequestHandler):
    """Answers everything with 200, and in a tailer's words."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"tailing, 0.0 s behind\n")

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_whoever_only_talks_like_a_tailer_is_in_the_way() -> None:
    """A tailer is known by its header; the words are for people."""
    with HTTPServer((HOST, 0), Talkative) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        assert health_checks.port(HOST, server.server_port).state is State.FAIL
        server.shutdown()


def test_a_tailer_that_does_not_tail_is_a_warning(health: Health, clock: Clock) -> None:
    """One that starts, waits for a neighbour, gave a stream up or makes no progress: each with what to do."""

    def at_the_port() -> Finding:
        return health_checks.port(HOST, port)

    port = free_port()
    with endpoints(HOST, port, health, Families()):
        starting = at_the_port()
        health.delivered(Batch(changes=(), checkpoint=ORIGIN))
        tailing = at_the_port()
        health.waiting("the database does not answer")
        waiting = at_the_port()
        health.waiting("standing by; stopped, see tailer status: payments")
        quoting = at_the_port()
        health.standing_by()
        health.gave_up("payments", Metrics("payments"), None)
        stopped = at_the_port()
        clock.now += STALLED_AFTER
        stalled = at_the_port()
    assert tailing.state is State.OK
    for verdict in (starting, waiting, quoting, stopped, stalled):
        assert verdict.state is State.WARN
        assert verdict.remedy
    assert quoting.remedy == waiting.remedy != stopped.remedy
    assert "waiting for the database" in waiting.found
    assert "makes no progress" in stalled.remedy


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock=clock, now=lambda: datetime(2026, 11, 22, 8, 0, tzinfo=UTC))
