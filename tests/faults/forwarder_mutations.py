"""The forwarder's guarantees, broken on purpose in the zip of its function: the whole path must detect each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from tests.faults.path import Outcome


@dataclass(frozen=True, kw_only=True)
class ForwarderMutation:
    """A mutation of one place in the function's zip, how often the bus refuses meanwhile, and how the path detects it."""

    breaks: str
    edit: tuple[str, str, str]  # file, old text, new text
    refusals: int
    found: Callable[[Outcome], bool]

    def apply(self, package: Path) -> None:
        """Edit one file of the zip. Raises: ValueError: the product no longer contains the lines."""
        name, old, new = self.edit
        with ZipFile(package) as archive:
            files = {entry: archive.read(entry) for entry in archive.namelist()}
        text = files[name].decode()
        if text.count(old) != 1:
            raise ValueError(f"{name} no longer has exactly one {old!r}: mend tests/faults/forwarder_mutations.py")
        with ZipFile(package, "w") as archive:
            for entry, content in files.items():
                archive.writestr(entry, text.replace(old, new) if entry == name else content)


IN_THE_FORWARDER: Mapping[str, ForwarderMutation] = {
    "drop_the_watermark_comparison": ForwarderMutation(
        breaks="a repeat older than the watermark is dropped",
        edit=(
            "lambda_forwarder/model/watermark.py",
            "return (generation, change.sequence) <= self.position and not self.is_renumbered(generation, change)",
            "return False",
        ),
        refusals=0,
        found=lambda outcome: outcome.late > 0,
    ),
    "delete_what_failed": ForwarderMutation(
        breaks="the queue forgets a message only once everything of it was accepted or parked",
        edit=(
            "lambda_forwarder/redelivery/returned_messages.py",
            "        self.ids.update(delivery.id for delivery in deliveries)\n        self._delays",
            "        self._delays",
        ),
        refusals=5,
        found=lambda outcome: bool(outcome.verdict.missing),
    ),
    "remember_before_publishing": ForwarderMutation(
        breaks="a lane's watermark moves only past what was accepted or parked",
        edit=(
            "lambda_forwarder/forwarding/forwarder.py",
            "        for place, part in",
            "        progress.published(lane, new)\n        for place, part in",
        ),
        refusals=5,
        found=lambda outcome: bool(outcome.verdict.missing),
    ),
}
