"""A project that ``tailrace init`` wrote, in a folder of a test's own. Nothing is edited before its commands work."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from tailrace.dev.installed import EMULATORS, emulators_python
from tests.distribution.installation import Installed
from tests.tailrace.packaging import shop


def initialise(installed: Installed, folder: Path) -> None:
    """Run ``tailrace init`` in a new folder."""
    folder.mkdir()
    with timed("tailrace init shop --collection orders"):
        installed.run("tailrace", "init", "shop", "--collection", "orders", folder=folder)
    assert [path.name for path in folder.iterdir()] == ["shop"]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The project. Its commands run with these variables: the emulators of the tests."""

    folder: Path
    variables: dict[str, str]

    @classmethod
    def copied(cls, initialised: Path, parent: Path) -> "Shop":
        """Copy the project. The dependencies of its packages are those that other tests have installed."""
        folder = Path(shutil.copytree(initialised, parent / "shop"))
        shop.CACHE.mkdir(parents=True, exist_ok=True)
        (folder / "dist").mkdir()
        (folder / "dist" / "cache").symlink_to(shop.CACHE)
        return cls(folder=folder, variables={EMULATORS: str(emulators_python())})

    def replace(self, name: str, right: str, wrong: str) -> None:
        """Replace a part of a file."""
        file = self.folder / name
        text = file.read_text()
        assert right in text
        file.write_text(text.replace(right, wrong))


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Print how long the block takes, and the CPU seconds of its processes: ``pytest -s``."""
    begin, before = time.monotonic(), getrusage(RUSAGE_CHILDREN)
    yield
    after = getrusage(RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sys.stdout.write(f"{time.monotonic() - begin:6.1f} s, {cpu:5.1f} s of CPU  {step}\n")
