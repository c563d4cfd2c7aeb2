"""``tailrace dev``: a project's own mappers, on its own collections, replaced while it runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tailrace.cli.dev import dev
from tests.tailrace.dev.running import Running, running

EVENTS = '''
"""The events of orders."""

from tailrace import Change, DomainEvent, Mappers


class OrderPlaced(DomainEvent, source="app.shop"):
    """A customer placed an order."""

    order_id: str
    total: int


def order_placed(change: Change) -> OrderPlaced | None:
    """A document was inserted into orders."""
    if not change.created:
        return None
    return OrderPlaced(order_id=str(change.document_key["_id"]), total=(change.after or {})["total"])


MAPPERS: Mappers = {"orders": (order_placed,)}
'''
TAILRACE = """
name = "shop"
mappers = "events:MAPPERS"
[[streams]]
name = "orders"
database = "shop"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "events.py").write_text(EVENTS)
    (folder / "tailrace.toml").write_text(TAILRACE)
    return folder


def command(*options: str) -> list[str]:
    return [sys.executable, "-P", "-m", "tailrace.cli", "dev", *options]


@pytest.mark.usefixtures("services")
def test_each_change_is_shown_and_a_changed_mapper_runs_without_a_restart(project: Path) -> None:
    """Events by name, parked with the reason, or nothing and why. Ctrl-C leaves no process, no port and no file."""
    with running(command("--data"), project) as shop:
        with shop.database("shop") as database:
            database.orders.insert_many([{"_id": "o1", "total": 3}, {"_id": "o2"}])
            database.orders.update_one({"_id": "o1"}, {"$set": {"note": "fragile"}})
            database.ordres.insert_one({"_id": "o3"})
            shop.wait_for(r"shop\.orders/o1  insert  #1  OrderPlaced")
            shop.wait_for(r'"data": \{\s+"orderId": "o1",\s+"total": 3')
            shop.wait_for(r"shop\.orders/o2  insert  #2  parked: KeyError: 'total'\n.*mapper events\.order_placed")
            shop.wait_for(r"shop\.orders/o1  update  #3  no event: the mappers of OrderPlaced returned none")
            shop.wait_for(r"shop\.ordres/o3  insert  #4  no event: no mapper reads .*did you mean the key 'orders'")
            change_mappers(project, shop)
            database.orders.insert_one({"_id": "o5", "total": 5})
            shop.wait_for(r"shop\.orders/o5  insert  #\d+  OrderTaken\n")
        folder = Path(shop.wait_for(r"\. (\S+)/settings\.env")[1])
        assert "orders" in other_command(folder, "status")
        found = {one["name"]: one["state"] for one in json.loads(other_command(folder, "doctor", "--json"))["findings"]}
        assert (found["queue.visibility"], found["http.port"]) == ("ok", "ok"), found
        assert shop.stop() == 0, shop.output
    assert "Traceback" not in shop.output
    assert not folder.exists()
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(folder) not in listed


def other_command(folder: Path, *words: str) -> str:
    """Return what ``tailrace`` prints in a shell that has read ``settings.env``, as the first lines of ``tailrace dev`` say."""
    tailrace = [sys.executable, "-P", "-m", "tailrace.cli"]
    shell = ["sh", "-c", '. "$0"; exec "$@"', str(folder / "settings.env"), *tailrace, *words]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def change_mappers(project: Path, shop: Running) -> None:
    """Break the module, and then rename its event."""
    (project / "events.py").write_text(EVENTS.replace("import Change", "import Chnge"))
    shop.wait_for(r"events\.py changed\n(importing .*\n)?.*events:MAPPERS.*Chnge.*\nThe function stays as it was")
    with shop.database("shop") as database:
        database.orders.insert_one({"_id": "o4", "total": 4})
    shop.wait_for(r"shop\.orders/o4  insert  #\d+  OrderPlaced\n")
    (project / "events.py").write_text(EVENTS.replace("OrderPlaced", "OrderTaken"))
    shop.wait_for(r"the function runs your changed mappers")


@pytest.mark.usefixtures("services")
def test_what_is_watched_can_be_named(project: Path) -> None:
    """Instead of the streams of the file: one stream for each name."""
    with running(command("--watch", "shop.orders", "--watch", "archive"), project) as shop:
        assert re.search(r"ready: shop\.orders, archive\.\*", shop.wait_for("ready: .*")[0])
        with shop.database("archive") as database:
            database.orders.insert_one({"_id": "o1", "total": 1})
        shop.wait_for(r"archive\.orders/o1  insert  #1  OrderPlaced")
        assert shop.stop() == 0


@pytest.mark.usefixtures("services")
def test_mappers_that_do_not_import_are_named(project: Path) -> None:
    """Nothing is left running."""
    (project / "events.py").write_text(EVENTS.replace("import Change", "import Chnge"))
    done = subprocess.run(command(), cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "events:MAPPERS" in done.stderr
    assert "Chnge" in done.stderr


@pytest.mark.parametrize(
    ("options", "text", "message"),
    [
        ([], None, "no tailrace.toml in"),
        ([], 'mappers = "events:MAPPERS"', "there is no stream to watch"),
        (["--watch", "admin.x"], TAILRACE, "--watch admin.x: "),
        (["--watch", ".orders"], TAILRACE, "--watch .orders: "),
    ],
)
def test_unusable_project_is_refused_before_anything_starts(
    project: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], text: str | None, message: str
) -> None:
    """The error names the file or the option."""
    (project / "tailrace.toml").unlink()
    if text:
        (project / "tailrace.toml").write_text(text)
    monkeypatch.chdir(project)
    done = CliRunner().invoke(dev, options)
    assert done.exit_code != 0
    assert message in f"{done.output}{done.exception}"


def test_no_mongod_names_the_ways_out(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends with 1 and no traceback."""
    monkeypatch.setenv("TAILRACE_EMULATORS", sys.executable)
    monkeypatch.setenv("TAILRACE_MONGOD", os.devnull)
    monkeypatch.chdir(project)
    done = CliRunner().invoke(dev)
    assert done.exit_code == 1, done.output
    assert "tailrace dev --mongodb URI" in done.output
