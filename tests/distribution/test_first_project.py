"""
The first minutes of a new team, with nothing but the installed wheel: init, its two commands, a changed mapper, the package.
The seconds of each step are printed: ``pytest -s``.
"""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from tailrace.dev.installed import EMULATORS, emulators_python
from tests.distribution.installation import InstalledWheel
from tests.tailrace.dev.running import running

MISTAKES = {
    "misspelt key": ("package", "events.py", '"shop.orders": (', '"shop.ordres": (', "did you mean shop.orders?"),
    "missing dependency": ("synth trial", "events.py", "from tailrace", "import nowhere\nfrom tailrace", "imports nowhere"),
    "missing module": ("doctor", "tailrace.toml", "events:MAPPERS", "evnts:MAPPERS", "there is no module evnts"),
    "missing name": ("dev", "tailrace.toml", "events:MAPPERS", "events:MAPERS", "did you mean MAPPERS?"),
}


@contextmanager
def timed(step: str) -> Iterator[None]:
    begin = time.monotonic()
    yield
    sys.stdout.write(f"{time.monotonic() - begin:6.1f} s  {step}\n")


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A project that init wrote. Its commands run with a cache of their own, and with the emulators of the tests."""

    folder: Path
    variables: dict[str, str]

    @contextmanager
    def replaced(self, name: str, right: str, wrong: str) -> Iterator[None]:
        """Replace a part of a file until the block ends."""
        file = self.folder / name
        text = file.read_text()
        assert right in text
        file.write_text(text.replace(right, wrong))
        yield
        file.write_text(text)


@pytest.fixture(scope="module")
def shop(installed_wheel: InstalledWheel, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """In a folder that was empty. Nothing is edited before its commands work."""
    folder = tmp_path_factory.mktemp("team")
    with timed("tailrace init shop --collection orders"):
        installed_wheel("dev").run("tailrace", "init", "shop", "--collection", "orders", folder=folder)
    assert [path.name for path in folder.iterdir()] == ["shop"]
    variables = {EMULATORS: str(emulators_python()), "XDG_CACHE_HOME": str(folder / ".cache")}
    return Shop(folder=folder / "shop", variables=variables)


def test_changes_become_events_and_a_changed_mapper_needs_no_restart(installed_wheel: InstalledWheel, shop: Shop) -> None:
    """On a bus, by ``tailrace dev``; Ctrl-C ends it."""
    installed = installed_wheel("dev")
    dev = [str(installed.folder / "bin" / "tailrace"), "dev"]
    with running(dev, shop.folder, installed.environment(**shop.variables)) as system:
        with timed("tailrace dev, until the event of a change is on the bus"), system.database("shop") as database:
            database.orders.insert_one({"_id": "o1"})
            system.wait_for(r"shop\.orders/o1  insert  #1  OrderCreated\n")
        changed = shop.replaced("events.py", "OrderCreated", "OrderTaken")
        with timed("a changed mapper, until its event is on the bus"), changed, system.database("shop") as database:
            system.wait_for("the function runs your changed mappers")
            database.orders.insert_one({"_id": "o2"})
            system.wait_for(r"shop\.orders/o2  insert  #2  OrderTaken\n")
        assert system.stop() == 0, system.output


def test_project_is_packaged(installed_wheel: InstalledWheel, shop: Shop) -> None:
    with timed("tailrace package"):
        packaged = installed_wheel("dev").run("tailrace", "package", folder=shop.folder).stdout
    assert "events: OrderCreated" in packaged
    [digest] = re.findall(r"sha256 ([0-9a-f]{64})", packaged)
    assert sha256((shop.folder / "dist" / "shop.zip").read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_in_the_mappers_is_refused_with_its_name(installed_wheel: InstalledWheel, shop: Shop, mistake: str) -> None:
    """Before anything is deployed or started."""
    command, name, right, wrong, words = MISTAKES[mistake]
    with shop.replaced(name, right, wrong):
        refused = installed_wheel("dev,cdk").run("tailrace", *command.split(), folder=shop.folder, code=2, **shop.variables)
    assert words in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
