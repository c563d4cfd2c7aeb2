"""The table of the structure, on a checkout of a few lines."""

from pathlib import Path

from tests.structure import report

FILES = {
    "app/__init__.py": "",
    "app/__main__.py": "import app.loop.run\n",
    "app/loop/__init__.py": '"""The loop."""',
    "app/loop/run.py": "#\nfrom app import ports\nfrom app.loop import more\n\ndef run() -> None:\n    import app.values\n",
    "app/loop/more.py": "from app.ports import Port\n",
    "app/ports.py": "from app.values import Value\n",
    "app/values.py": '''"""Values."""\n\nTEXT = """two\nlines"""\n"""What it is."""\n''',
    "other/__init__.py": "from app import values\n",
    "tests/__init__.py": "",
}


def table_of(folder: Path, files: dict[str, str]) -> dict[str, list[int]]:
    """Return the numbers of the table by package."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    rows = [line.rsplit(maxsplit=7) for line in list(report(folder))[1:5]]
    return {name: [int(number) for number in numbers] for name, *numbers in rows}


def test_rooms_floors_arrows_files_and_lines_are_counted(tmp_path: Path) -> None:
    """A folder is one room, and imports within it are no arrows. Documentation, comments and blank lines are no code."""
    rows = table_of(tmp_path, FILES)
    assert rows["app"] == [4, 4, 4, 0, 7, 15, 9]
    assert rows["tests"] == [0, 0, 0, 0, 1, 0, 0]
    assert rows["the product"] == [5, 4, 5, 0, 8, 16, 10]


def test_circle_of_rooms_is_one_floor_with_arrows_uphill(tmp_path: Path) -> None:
    """The rooms above and below the circle keep their floors."""
    rows = table_of(tmp_path, FILES | {"app/values.py": "import app.loop.more\nimport app.base\n", "app/base.py": ""})
    assert rows["app"][:4] == [5, 3, 6, 4]
