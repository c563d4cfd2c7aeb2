"""
The guarantees, broken on purpose in a copy of the source: the suite must detect each. A mutation replaces a few lines of the
product. When the product no longer contains the lines, the error says so: correct them here.
"""

import random
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.package import REPOSITORY
from tailrace.dev.screen import Screen
from tests.faults import path
from tests.faults.checker import Verdict
from tests.faults.faults import perform
from tests.faults.forwarder_mutations import IN_THE_FORWARDER
from tests.faults.schedule import schedule
from tests.faults.show import Show
from tests.faults.stage import Stage

PACKAGES = ("tailrace", "tailer")
PACE = 400.0  # changes a second
PAYMENTS = 30
_SEND = "                sink.send(batch.changes, after.generation, lease.after_decoding)\n"
_SAVE = "                lease.save(positions.after(batch))\n"


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """The guarantee that it breaks and how, the faults that expose it, and the guarantees that must be reported as broken."""

    breaks: str
    edits: Sequence[tuple[str, str, str]]  # file, old text, new text
    faults: Mapping[str, int]
    found: Sequence[str]  # fields of the verdict, any of which must be broken

    def apply(self, folder: Path) -> None:
        """Edit the copy. Raises: ValueError: the product no longer contains the lines."""
        for name, old, new in self.edits:
            path = folder / name
            text = path.read_text()
            if text.count(old) != 1:
                raise ValueError(f"{name} no longer has exactly one {old!r}: mend tests/faults/mutations.py")
            path.write_text(text.replace(old, new))


MUTATIONS: Mapping[str, Mutation] = {
    "none": Mutation(
        breaks="nothing: the same faults, and the suite must find nothing",
        edits=(),
        faults={"kill": 6, "zombie": 2, "throttle": 8, "partial": 16, "import": 4},
        found=(),
    ),
    "save_before_send": Mutation(
        breaks="a checkpoint is saved only after the queue accepted everything up to it",
        edits=[
            (
                "tailer/streaming/tail.py",
                f"{_SEND}{_SAVE}",
                f"{_SAVE}{_SEND}",
            )
        ],
        faults={"kill": 25, "throttle": 60, "partial": 60, "import": 10, "aws_slow": 4},
        found=["lost", "gaps"],
    ),
    "two_messages_of_a_lane_in_one_call": Mutation(
        breaks="a lane has at most one message in a call",
        edits=[
            (
                "tailer/aws/sqs_sink.py",
                "calls([messages[0] for messages in waiting.values()])",
                "calls([message for messages in waiting.values() for message in list(messages)[:2]])",
            ),
            ("tailer/aws/sqs_sink.py", "waiting[lane].popleft()", "waiting[lane].remove(message)"),
        ],
        faults={"partial": 80, "import": 20},
        found=["reordered"],
    ),
    "ignore_the_fence": Mutation(
        breaks="a task that lost its lease writes nothing more",
        edits=[
            (
                "tailer/stores/dynamodb.py",
                "self._client.put_item(TableName=self._table, Item=item, **guard)",
                "self._client.put_item(TableName=self._table, Item=item)",
            ),
        ],
        faults={"zombie": 6},
        found=["intruders"],
    ),
}


def main(screen: Screen, seed: int) -> int:
    """Try all of them. The exit code is 0 only if the suite detected each, and found nothing where nothing is broken."""
    unnoticed = 0
    for name, mutation in MUTATIONS.items():
        screen.step(f"{name}: {mutation.breaks}")
        verdict = attempt(mutation, seed, screen)
        broken = [field for field in mutation.found if getattr(verdict, field)]
        unnoticed += _report(screen, verdict.lines(), as_it_must=bool(broken) if mutation.found else verdict.holds)
    for name, broken_there in IN_THE_FORWARDER.items():
        screen.step(f"{name}: {broken_there.breaks}")
        outcome = path.walk(seed, PAYMENTS, broken_there.refusals, 0, kinds=["refused"], rate=1, damage=broken_there.apply)
        unnoticed += _report(screen, outcome.lines(), as_it_must=broken_there.found(outcome))
    return int(unnoticed > 0)


def _report(screen: Screen, lines: Sequence[str], *, as_it_must: bool) -> bool:
    """Report whether the suite was right, and return whether it was wrong."""
    screen.line("  as it must" if as_it_must else "  FAIL: the suite is wrong", "green" if as_it_must else "red")
    for line in lines:
        screen.line(f"    {line}")
    return not as_it_must


def attempt(mutation: Mutation, seed: int, screen: Screen) -> Verdict:
    """Return the suite's verdict on the product with this mutation."""
    with tempfile.TemporaryDirectory(prefix="tailrace-mutation-") as name:
        folder = Path(name)
        for package in PACKAGES:
            shutil.copytree(REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        mutation.apply(folder)
        with Stage(random.Random(seed + 2), members=1, source=folder) as stage:
            show = Show(stage, seed, screen, PACE)
            return perform(show, schedule(seed, mutation.faults), 0, until_broken=True)
