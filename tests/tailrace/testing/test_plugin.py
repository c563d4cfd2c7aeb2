"""The plugin of pytest, as a project's tests use it: in a run of pytest with nothing but the plugin."""

from pathlib import Path

import pytest

from examples.payments.events import MAPPERS
from lambda_forwarder.catalogue.catalogue import write
from tailrace.testing import published
from tailrace.testing.snapshots import UPDATE, file_name, snapshot
from tests.tailrace.testing.test_published import AT, OrderMoved, OrderPaid

pytest_plugins = ["pytester"]

TESTS = """
    import pytest
    from examples.payments.events import MAPPERS
    from tailrace.testing import eventbridge, events_of, mongodb

    PAYMENT = {"_id": "p-1", "subscriptionId": "s-1", "status": "created"}
    STATUS = "cancelled"

    @pytest.mark.parametrize("path", ["a/b", "plain"])
    def test_cancelled(event_snapshot, path):
        event_snapshot.check(events_of(MAPPERS, mongodb("payments.payments").update(PAYMENT, {"status": STATUS})))

    def test_contract(contract):
        for event in events_of(MAPPERS, mongodb("payments.payments").insert(PAYMENT)):
            contract(event)
            received = eventbridge(event)
            received["detail"]["data"]["paymentId"] = 5
            with pytest.raises(AssertionError, match="received 5"):
                contract(received)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(TESTS)
    write(MAPPERS, pytester.path / "events" / "schemas", pytester.path / "events.md", Path("none"))
    pytester.makeini("[pytest]\ntailrace_schemas = events/schemas\naddopts = -p tailrace.pytest_plugin")
    return pytester


def test_snapshots_are_written_compared_and_shown(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing one fails; a difference names the file, both values and the command that accepts it."""
    missing = project.runpytest()
    missing.assert_outcomes(passed=1, failed=2)
    missing.stdout.fnmatch_lines(["*there is no snapshot *; create it: TAILRACE_UPDATE_SNAPSHOTS=1 pytest"])
    monkeypatch.setenv(UPDATE, "1")
    project.runpytest().assert_outcomes(passed=3)
    monkeypatch.delenv(UPDATE)
    project.runpytest().assert_outcomes(passed=3)
    names = sorted(path.name for path in (project.path / "snapshots").glob("*/*"))
    assert names == [file_name("test_cancelled[a/b]"), "test_cancelled[plain].json"]
    file = next((project.path / "snapshots").glob("*/*plain*"))
    file.write_text(file.read_text().replace('"s-1"', '"s-2"'))
    changed = project.runpytest()
    changed.assert_outcomes(passed=2, failed=1)
    changed.stdout.fnmatch_lines(
        [
            "*SnapshotDiffers: *test_cancelled?plain?.json differs; to accept it: *",
            '*-*"subscriptionId": "s-2"*',
            '*+*"subscriptionId": "s-1"*',
        ]
    )


def test_fixtures_describe_themselves(project: pytest.Pytester) -> None:
    """In ``pytest --fixtures``; there are two."""
    shown = project.runpytest("--fixtures", "-q")
    shown.stdout.fnmatch_lines(["event_snapshot -- *", "*snapshots/MODULE/TEST.json*", "contract *-- *"])


def test_snapshot_of_an_event_is_the_same_for_every_repeat() -> None:
    """Ids, positions and times of the metadata are left out, and the fields of the data that the test names, at any depth."""
    event = OrderPaid(order_id="o-1", paid_at=AT)
    one, other = published(event), published(event, sequence=5, generation=9)
    assert snapshot([one]) == snapshot([other])
    assert snapshot([one]) != snapshot([published(event, late=True)])
    moved = [published(OrderMoved(customer="Ada", address=[{"street": street}])) for street in ("a", "b")]
    assert snapshot(moved[:1]) != snapshot(moved[1:])
    assert snapshot(moved[:1], volatile=["street"]) == snapshot(moved[1:], volatile=["street"])


def test_second_check_is_refused(project: pytest.Pytester) -> None:
    project.makepyfile("def test_twice(event_snapshot):\n    event_snapshot.check([])\n    event_snapshot.check([])")
    failed = project.runpytest("-k", "twice")
    failed.assert_outcomes(failed=1)


def test_name_of_a_file_is_valid_everywhere() -> None:
    """And differs from that of every other test."""
    tests = [
        "test_a[x/y]",
        "test_a[x?y]",
        "test_a[x_y]",
        "test_a[\0]",
        "test_a[é]",
        "test_a. ",
        f"test_{'a' * 300}",
        f"test_{'a' * 301}",
    ]
    files = [file_name(test) for test in tests]
    assert len(set(files)) == len(tests)
    for file in files:
        assert file.isascii()
        assert not set(file) & set('/\\:*?"<>|\0')
        assert len(file) <= 200
