"""The suite's short form: a few faults of each kind on real parts, and nothing is lost, out of order or unrecognisable."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.package import REPOSITORY
from tailrace.dev.screen import Screen
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


def test_nothing_is_lost_under_faults(stage: Stage) -> None:
    """Tailers and members killed, a zombie, cut connections, refusals and wrong responses: every change arrives in order."""
    show = Show(stage, SEED, Screen(), pace=250)
    verdict = perform(show, schedule(SEED, SHORT), CHANGES)
    assert verdict.holds, "\n".join([*verdict.lines(), f"logs: {stage.keep_logs()}"])
    assert verdict.committed >= CHANGES
    assert show.counts == SHORT


@pytest.mark.usefixtures("services")
def test_whole_path_holds_while_the_function_fails() -> None:
    """A tailer is killed, the Lambda fails, a former owner sends everything again: each event arrives in order and once."""
    outcome = walk(SEED, payments=60, faults=4, kills=1)
    assert outcome.holds, "\n".join(outcome.lines())


@pytest.mark.usefixtures("services")
def test_expired_history_stops_the_tailer() -> None:
    """With exit code 3 and an unchanged checkpoint."""
    assert lose_history(SEED) == []


@pytest.mark.parametrize("name", [name for name, mutation in MUTATIONS.items() if mutation.edits])
def test_mutations_apply_to_the_product(name: str, tmp_path: Path) -> None:
    """The lines that ``python -P -m tests.faults mutations`` breaks exist."""
    for file, old, _ in MUTATIONS[name].edits:
        assert file.split("/")[0] in PACKAGES
        assert (REPOSITORY / file).read_text().count(old) == 1


def test_forwarder_mutations_apply_to_the_product() -> None:
    for mutation in IN_THE_FORWARDER.values():
        file, old, _ = mutation.edit
        assert (REPOSITORY / file).read_text().count(old) == 1
