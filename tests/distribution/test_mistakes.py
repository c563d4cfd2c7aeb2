"""Mistakes of a project, at each command of the installed wheel that would use its mappers."""

import pytest

from tailrace.dev.installed import MONGOD
from tests.distribution.installation import InstalledWheel
from tests.distribution.new_project import Shop, timed

IMPORT = "from tailrace import"
MISTAKES = {
    "mapper that does not import from the zip": (
        (IMPORT, f"import prices\n{IMPORT}"),
        "events.py, line 3, imports prices, which is in the project but not in the package. Add it to sources in tailrace.toml",
    ),
    "misspelt collection key": (
        ('"shop.orders": (', '"shop.ordres": ('),
        "no stream of tailrace.toml watches the collection 'shop.ordres' of the mappers; did you mean shop.orders?",
    ),
    "missing dependency": (
        (IMPORT, f"import nowhere\n{IMPORT}"),
        "events.py, line 3, imports nowhere, which is not in the package. Add its package to the file of requirements",
    ),
}


@pytest.mark.parametrize("command", ["package", "synth trial", "dev", "doctor"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_refused_with_its_name_and_remedy(
    installed_wheel: InstalledWheel, shop: Shop, mistake: str, command: str
) -> None:
    """Nothing is written, and no process is started: ``tailrace dev`` would not find a mongod here."""
    replacement, words = MISTAKES[mistake]
    (shop.folder / "prices.py").touch()
    shop.replace("events.py", *replacement)
    variables = {**shop.variables, MONGOD: "/nowhere"}
    with timed(f"tailrace {command}, {mistake}"):
        refused = installed_wheel("dev,cdk").run("tailrace", *command.split(), folder=shop.folder, code=2, **variables)
    [line] = [line for line in (refused.stdout + refused.stderr).splitlines() if words in line]
    assert line.startswith("FAIL  package " if command == "doctor" else f"tailrace {command.split()[0]}: ")
    assert "Traceback" not in refused.stderr
    assert not list(shop.folder.glob("dist/*.zip"))
    assert not (shop.folder / "cdk.out").exists()
