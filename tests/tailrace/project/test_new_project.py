"""``tailrace init``: what it writes, and what it refuses to write."""

import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tailrace.cli.program import tailrace
from tailrace.project import load
from tailrace.project.names import default_event, key_field, stream_name

LONGEST = [
    "a" * 20,
    "--collection=" + "A" * 20 + " " + "a" * 19,
    "--database=" + "a" * 24,
    "--event=" + "Ab" * 11,
]


def init(*arguments: str) -> Result:
    return CliRunner().invoke(tailrace, ["init", *arguments], prog_name="tailrace")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*command: str, folder: Path) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["shop", "--collection=orders"], ["a", "--collection=2.é".replace("é", "e")], LONGEST])
def test_files_need_no_edit(folder: Path, arguments: list[str]) -> None:
    """The tests pass, the code is formatted, and the settings are valid, also with the shortest and the longest names."""
    assert init(*arguments).exit_code == 0
    project = folder / arguments[0]
    run("pytest", "-q", "-p", "no:cacheprovider", folder=project)
    run("ruff", "check", "--no-cache", ".", folder=project)
    run("ruff", "format", "--no-cache", "--check", ".", folder=project)
    assert load(project).environments == ("trial", "production")
    assert tomllib.loads((project / "pyproject.toml").read_text())["project"]["name"] == arguments[0]


def test_settings_of_another_deployment_in_the_shell_do_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDER_MAPPERS", "elsewhere:MAPPERS")
    monkeypatch.setenv("FORWARDER_ON_POISON", "nonsense")
    monkeypatch.setenv("TAILER_ORDER_BY", "nonsense")
    made = init("shop", "--collection=orders")
    assert made.exit_code == 0, made.output


def test_names_are_those_that_were_given(folder: Path) -> None:
    """In the event, its mapper, its sample, its schema and the stream."""
    done = init("shop", "--collection", "orders", "--database", "trade", "--event", "OrderPlaced")
    assert done.output == "shop/ is ready:\n\n  cd shop\n  pytest\n  tailrace dev\n"
    [stream] = load(folder / "shop").streams
    assert (stream.name, stream.database, stream.collections) == ("orders", "trade", ("orders",))
    events = (folder / "shop/events.py").read_text()
    assert "class OrderPlaced(DomainEvent" in events
    assert '"trade.orders": (order_placed,)' in events
    written = {path.relative_to(folder / "shop").as_posix() for path in (folder / "shop").rglob("*") if path.is_file()}
    assert written >= {
        ".github/workflows/tailrace.yml",
        ".gitignore",
        "samples/order_placed.change.json",
        "samples/order_placed.event.json",
        "schemas/app.shop@OrderPlaced-v1.json",
    }
    assert not [path for path in written if path.endswith(".pyc")]
    assert not [path for path in written if "%%" in (folder / "shop" / path).read_text()]


def test_names_are_asked_for_on_a_terminal(folder: Path) -> None:
    """The proposals follow from the answers before."""
    terminal, other = pty.openpty()
    asking = subprocess.Popen([sys.executable, "-P", "-m", "tailrace.cli", "init", "web-shop"], stdin=other, cwd=folder)
    os.write(terminal, b"orders\n\nOrderPlaced\n")
    assert asking.wait(60) == 0
    os.close(other)
    os.close(terminal)
    [stream] = load(folder / "web-shop").streams
    assert (stream.database, stream.collections) == ("web_shop", ("orders",))
    assert "class OrderPlaced" in (folder / "web-shop/events.py").read_text()


def test_collection_is_required_without_a_terminal(folder: Path) -> None:
    """The error shows the option."""
    done = init("shop")
    assert (done.exit_code, done.output) == (
        2,
        "tailrace init: Name the collection whose changes become events: --collection orders\n",
    )
    assert list(folder.iterdir()) == []


def test_wrong_name_is_shown_as_it_was_typed_and_alone(folder: Path) -> None:
    """The database, which nobody gave, is not blamed for it."""
    [line] = init("--collection=orders", "--", "Päckchen Nord").output.splitlines()
    assert line.startswith("tailrace init: 'Päckchen Nord' is no name of a project")


@pytest.mark.parametrize(
    ("option", "values"),
    [
        (
            "name",
            ["", ".", "..", "../shop", "/tmp/shop", "a/b", "a\\b", "a.py", "Shop", "-", "shop-", "a" * 21, "a\nb"],
        ),
        (
            "--collection",
            ["", "a/b", "a'b", 'a"b', "a\nb", "$cmd", "system.views", ".a", "a" * 41, " a", "a ", "a\tb", "{x}", "%%{event}"],
        ),
        ("--database", ["", "a.b", "a/b", "admin", "local", "config", "tailrace", "*", "a b", 'a"', "a" * 25]),
        (
            "--event",
            ["", "class", "orderPlaced", "Order Placed", "None", "Class", "Import", "Change", "Time", "AAA", "E1é"],
        ),
    ],
)
def test_names_that_would_break_a_file_are_refused(folder: Path, option: str, values: list[str]) -> None:
    """Path separators, dots, quotes, keywords, names of MongoDB's own and ours: nothing is written."""
    for value in values:
        names = {"name": "shop", "--collection": "orders", "--database": "shop", "--event": "OrderPlaced"} | {option: value}
        options = [f"{key}={names[key]}" for key in ("--collection", "--database", "--event")]
        done = init(*options, "--", names["name"])
        assert done.exit_code == 2, (option, value)
        assert done.output.startswith("tailrace init: "), done.output
        assert "Traceback" not in done.output
    assert list(folder.iterdir()) == []


def test_all_wrong_names_are_reported_at_once() -> None:
    """One line for each, with what is allowed."""
    done = init("Shop", "--collection", "$x", "--database", "a.b", "--event", "placed")
    assert done.output.count("\n") == 4
    assert "words like OrderPlaced" in done.output


def test_nothing_is_written_over(folder: Path) -> None:
    """A folder with any file in it is refused, and so is a file of this name. An empty folder is used."""
    (folder / "shop").mkdir()
    (folder / "shop/.hidden").write_text("mine")
    done = init("shop", "--collection", "orders")
    assert done.exit_code == 2
    assert "is not empty: choose another name" in done.output
    assert [path.name for path in (folder / "shop").iterdir()] == [".hidden"]
    (folder / "file").write_text("mine")
    assert "file cannot be written: File exists; choose another name" in init("file", "--collection", "orders").output
    assert (folder / "file").read_text() == "mine"
    (folder / "empty").mkdir()
    assert init("empty", "--collection", "orders").exit_code == 0


@pytest.mark.parametrize(
    ("collection", "event", "field"),
    [
        ("orders", "OrderCreated", "order_id"),
        ("orderItems", "OrderItemCreated", "order_item_id"),
        ("deliveries", "DeliveryCreated", "delivery_id"),
        ("status", "StatusCreated", "status_id"),
        ("address", "AddressCreated", "address_id"),
        ("gas", "GasCreated", "gas_id"),
        ("2024", "DocumentCreated", "document_id"),
        ("_", "DocumentCreated", "document_id"),
    ],
)
def test_proposed_names_follow_from_the_collection(collection: str, event: str, field: str) -> None:
    """A document is what the collection's name says in the singular."""
    assert (default_event(collection), key_field(collection)) == (event, field)


def test_stream_is_not_called_like_a_prefix_of_the_bucket() -> None:
    """A collection may be."""
    assert stream_name("shop", "events") == "shop-events"
