"""The suite's short form: a little of everything on real parts, and nothing is lost, out of order or unrecognisable."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.screen import Screen
from infra.package import REPOSITORY
from tests.faults.faults import perform
from tests.faults.forwarder_mutations import IN_THE_FORWARDER
from tests.faults.history import lose_history
from tests.faults.mutations import MUTATIONS, PACKAGES
from tests.faults.path import walk
from tests.faults.schedule import SHORT, schedule
from tests.faults.show import Show
from tests.faults.stage import Stage

SEED = 7
CHANGES = 5_000


@pytest.fixture
def stage(services: None) -> Iterator[Stage]:
    with Stage(random.Random(SEED)) as stage:
        yield stage


def test_nothing_is_lost_whatever_happens(stage: Stage) -> None:
    """Tailers and members killed, a zombie, cut connections, refusals and lies: every change arrives, in order."""
    show = Show(stage, SEED, Screen(), pace=250)
    verdict = perform(show, schedule(SEED, SHORT), CHANGES)
    assert verdict.holds, "\n".join([*verdict.lines(), f"logs: {stage.keep_logs()}"])
    assert verdict.committed >= CHANGES
    assert show.counts == SHORT


@pytest.mark.usefixtures("services")
def test_the_whole_path_holds_while_the_function_fails() -> None:
    """A tailer is killed, the Lambda fails and lies, a former owner sends it all again: each event, in order, no more."""
    outcome = walk(SEED, payments=60, faults=4, kills=1)
    assert outcome.holds, "\n".join(outcome.lines())


@pytest.mark.usefixtures("services")
def test_a_history_that_expired_stops_the_tailer() -> None:
    """With exit code 3 and its checkpoint untouched."""
    assert lose_history(SEED) == []


@pytest.mark.parametrize("name", [name for name, mutation in MUTATIONS.items() if mutation.edits])
def test_the_mutations_still_fit_the_product(name: str, tmp_path: Path) -> None:
    """``python -P -m tests.faults mutations`` breaks lines that are there."""
    for file, old, _ in MUTATIONS[name].edits:
        assert file.split("/")[0] in PACKAGES
        assert (REPOSITORY / file).read_text().count(old) == 1


def test_the_forwarder_s_mutations_still_fit() -> None:
    """The same for those in the function's zip."""
    for mutation in IN_THE_FORWARDER.values():
        file, old, _ = mutation.edit
        assert (REPOSITORY / file).read_text().count(old) == 1
