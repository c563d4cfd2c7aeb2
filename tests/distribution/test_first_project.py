"""
The first minutes of a new team, with nothing but the installed wheel: init, its two commands, a changed mapper, the package.
The seconds of each step are printed: ``pytest -s``.
"""

import re
from hashlib import sha256
from pathlib import Path

from tests.distribution.installation import InstalledWheel
from tests.distribution.new_project import Shop, timed
from tests.tailrace.dev.running import running


def test_changes_become_events_and_a_changed_mapper_needs_no_restart(
    installed_wheel: InstalledWheel, shop: Shop, tmp_path: Path
) -> None:
    """On a bus, by ``tailrace dev``, whose first start installs the dependencies of the zip; Ctrl-C ends it."""
    installed = installed_wheel("dev")
    dev = [str(installed.folder / "bin" / "tailrace"), "dev"]
    first = installed.environment(**shop.variables, XDG_CACHE_HOME=str(tmp_path / "cache"))
    with running(dev, shop.folder, first) as system:
        with timed("tailrace dev, until the event of a change is on the bus"), system.database("shop") as database:
            database.orders.insert_one({"_id": "o1"})
            system.wait_for(r"shop\.orders/o1  insert  #1  OrderCreated\n")
        with timed("a changed mapper, until its event is on the bus"), system.database("shop") as database:
            shop.replace("events.py", "OrderCreated", "OrderTaken")
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
