"""How checks are run: each within its timeout, none after a failed dependency, and errors become findings."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tailer.checklist import all_checks
from tailer.checks import Check, Finding, NotChecked, State, fail, not_allowed, ok, skip, warn
from tailer.doctor import TIMEOUT, exit_code, hidden, run
from tailer.errors import HistoryLost, LeaseLost, Misconfigured, Rejected, TailerError, Unavailable
from tailer.parts import Parts
from tailer.settings.settings import Settings
from tests.conformance.checkpoint_store import Clock

Run = Callable[[], Finding]


def check_of(name: str, finding: Run, **arguments: Any) -> Check:
    return Check(name=name, run=finding, outage="wait", mistake="correct it", **arguments)


@pytest.mark.parametrize(
    ("finding", "message"),
    [
        (fail("it is a view", "correct it"), "it is a view; correct it"),
        (warn("there is no order; did you mean orders?", "correct it"), "there is no order; did you mean orders? Correct it"),
        (ok("is it?"), "is it?"),
    ],
)
def test_message_of_a_finding_ends_with_the_remedy(finding: Finding, message: str) -> None:
    """A task logs it in one line, so a question before the remedy ends as one."""
    assert str(finding) == message


def examined(*checks: Check, clock: Clock | None = None) -> list[Finding]:
    return [finding for _, finding in run(checks, clock=clock or Clock())]


def raising(error: Exception) -> Run:
    def look() -> Finding:
        raise error

    return look


@pytest.mark.parametrize("outcome", [fail("broken"), skip("unseen")])
def test_check_after_a_failed_dependency_is_skipped(outcome: Finding) -> None:
    """Independent checks are run."""
    first = check_of("first", lambda: outcome)
    second = check_of("second", raising(AssertionError("looked")), needs=("first",))
    third = check_of("third", raising(AssertionError("looked")), needs=("second",))
    other = check_of("other", lambda: ok("good"))
    findings = examined(first, second, third, other)
    assert [finding.state for finding in findings] == [outcome.state, State.SKIP, State.SKIP, State.OK]
    assert "first must pass first" in findings[1].found


def test_warning_does_not_skip_dependent_checks() -> None:
    first = check_of("first", lambda: warn("so so", "mend it"))
    assert examined(first, check_of("second", lambda: ok("good"), needs=("first",)))[1].state is State.OK


def test_hanging_check_times_out_and_the_next_is_run() -> None:
    """It fails as an outage, or with its own verdict for a timeout."""
    never = threading.Event()
    hanging = check_of("hanging", lambda: ok(str(never.wait(60))), seconds=0.05)
    known = check_of("known", lambda: ok(str(never.wait(60))), seconds=0.05, late=warn("slow", "wait"))
    findings = examined(hanging, known, check_of("next", lambda: ok("good")))
    assert [finding.state for finding in findings] == [State.FAIL, State.WARN, State.OK]
    assert findings[0].exit_code == 1
    never.set()


def test_all_checks_end_within_a_minute() -> None:
    """The remaining ones are skipped."""
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
def test_error_of_a_check_is_a_failure_with_the_exit_code_of_run(error: Exception, code: int) -> None:
    """No error ends the doctor."""
    [finding] = examined(check_of("look", raising(error)))
    assert (finding.state, finding.exit_code) == (State.FAIL, code)
    assert str(error) in finding.found


def test_missing_right_is_no_failure() -> None:
    """It is named, and does not change the exit code."""
    [finding] = examined(check_of("look", raising(NotChecked(not_allowed("lambda:ListEventSourceMappings")))))
    assert finding.state is State.SKIP
    assert "lambda:ListEventSourceMappings" in finding.remedy
    assert exit_code([finding]) == 0


@pytest.mark.parametrize("error", [Misconfigured, HistoryLost, Rejected, Unavailable, LeaseLost, ZeroDivisionError])
def test_every_failure_has_a_remedy(stored: Settings, error: type[Exception]) -> None:
    """Whatever the check and the error."""
    broken = [replace(check, run=raising(error("no")), needs=()) for check in every_check(stored)]
    results = list(run(broken, clock=Clock()))
    assert len(results) > 25
    assert {finding.state for _, finding in results} == {State.FAIL}
    assert [check.name for check, finding in results if not finding.remedy] == []


def test_every_timeout_names_the_service_to_check(stored: Settings) -> None:
    """Other checks name this process."""
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
def test_each_kind_of_store_has_its_own_remedies(stored: Settings, checkpoints: str, outage: str, mistake: str) -> None:
    """A VPC endpoint does not help a full disk."""
    settings = Settings(**{**stored.model_dump(), "checkpoints": checkpoints})
    for error, words in ((Unavailable, outage), (Misconfigured, mistake)):
        looks = [replace(check, run=raising(error("no")), needs=()) for check in every_check(settings)]
        remedies = [finding.remedy for check, finding in run(looks, clock=Clock()) if check.name.startswith("checkpoints.")]
        assert len(remedies) == 3
        for remedy in remedies:
            assert words in remedy
            assert ("AWS" in remedy or "aws" in remedy) == checkpoints.startswith("dynamodb:")


def test_remedy_of_a_check_is_kept() -> None:
    """It is more specific than the general one."""
    [finding] = examined(check_of("queue.exists", lambda: fail("broken", "mend it")))
    assert finding.remedy == "mend it"


def every_check(settings: Settings) -> list[Check]:
    """Return the doctor's checks, none of them run yet."""

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
def test_exit_code_is_that_of_run(errors: list[type[TailerError]], code: int) -> None:
    """First what it would refuse to start for, then what would stop it, then what it would wait for."""
    findings = [fail("x", error=error) for error in errors]
    assert exit_code([*findings, warn("y", "z")]) == code


def test_credentials_are_removed_from_every_finding() -> None:
    """A library might repeat a URI."""
    assert hidden("mongodb://user:hunter2@host/ is wrong") == "mongodb://***@host/ is wrong"
    assert hidden("not mongodb+srv://hunter2@host") == "not mongodb+srv://***@host"
