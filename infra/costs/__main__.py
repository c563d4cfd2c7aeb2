"""
The bill of an environment, or of the shipped ones into ``docs/costs.md``.

    python -P -m infra.costs [--environment NAME] [--changes N] [--inputs FILE]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from contract.legible import indented, legible
from infra.costs import inputs, tables
from infra.costs.bill import Line, total
from infra.costs.inputs import Inputs, MissingInput
from infra.costs.packed import MEASURED
from infra.costs.standing import Template, standing
from infra.costs.traffic import traffic
from infra.nag import Findings
from infra.package import REPOSITORY
from infra.settings import ENVIRONMENTS, Database, Environment, Misconfigured, Network, Stream, load, named
from infra.synthesis import synthesise

PAGE = REPOSITORY / "docs" / "costs.md"
SHIPPED = ("trial", "production")
ZONES = ("eu-west-1a", "eu-west-1b")
OTHERS = (  # shapes that only leave things out
    Environment(
        name="existing",
        network=Network(
            vpc_id="vpc-00000000", private_subnet_ids=("subnet-00000000", "subnet-11111111"), availability_zones=ZONES
        ),
        database=Database(
            host="cluster-0.eu-west-1.docdb.amazonaws.com",
            security_group_id="sg-00000000",
            enable_change_streams=False,
        ),
        streams=(Stream(name="payments", database="payments"),),
    ),
    Environment(name="messaging"),
)


def page(text: str, given: Inputs) -> str:
    """``docs/costs.md`` as it ought to be, its tables made anew."""
    shipped = [load(ENVIRONMENTS / f"{name}.toml") for name in SHIPPED]
    made = tables.tables({one: template(one) for one in shipped}, {one: template(one) for one in OTHERS}, given)
    return tables.replaced(text, made)


def template(environment: Environment) -> Template:
    """What would be deployed; nothing of it is kept."""
    with TemporaryDirectory(prefix="tailrace-costs-") as folder:
        package = Path(folder) / "forwarder.zip"
        ZipFile(package, "w").close()  # what is in it costs nothing
        return synthesise(environment, Path(folder) / "synthesised", package=package).template


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, 2 something that was given cannot be used."""
    parser = argparse.ArgumentParser(prog="python -P -m infra.costs", description=__doc__)
    parser.add_argument("--environment", metavar="NAME", help="infra/environments/NAME.toml, or a path to one: print its bill")
    parser.add_argument("--changes", type=float, default=1e6, metavar="N", help="changes a month (default: a million)")
    parser.add_argument("--inputs", type=Path, default=inputs.SHIPPED, metavar="FILE", help="your own prices and assumptions")
    chosen = parser.parse_args(arguments)
    try:
        given = inputs.load(chosen.inputs)
        if chosen.environment is None:
            PAGE.write_text(page(PAGE.read_text(), given))
            return 0
        environment = load(named(chosen.environment))
        print(_bill(environment, given, chosen.changes))  # noqa: T201 - what the command is asked for
    except (Misconfigured, MissingInput, Findings, OSError) as error:
        print(indented(legible(str(error), lines=True)), file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _bill(environment: Environment, given: Inputs, changes: float) -> str:
    """Every line, and what a month costs by how the changes are packed."""
    fixed = list(standing(template(environment), environment, given))
    shown = [_row(line) for line in fixed if line.usd]
    shown.append(f"{total(fixed):12,.2f}  a month without a change")
    for packed in MEASURED:
        caused = total(traffic(packed, environment, given, changes=changes))
        shown.append(f"{caused:12,.2f}  {changes:,.0f} changes, {packed.name}")
    return "\n".join(shown)


def _row(line: Line) -> str:
    return f"{line.usd:12,.2f}  {line.service}: {line.what} ({line.units:,.0f})"


if __name__ == "__main__":
    sys.exit(main())
