"""``tailrace dev``."""

import click

from tailrace.dev.session import Session
from tailrace.dev.workspace import StartFailed
from tailrace.project import load
from tailrace.text.legible import legible


@click.command(
    epilog="""\b
examples:
  tailrace dev
  tailrace dev --data
  tailrace dev --watch shop.orders --watch shop.customers
  tailrace dev --mongodb 'mongodb://localhost:27017/?replicaSet=rs0'"""
)
@click.option("--mongodb", metavar="URI", default="", help="a replica set that already runs, instead of a mongod of its own")
@click.option(
    "--watch",
    metavar="DATABASE[.COLLECTION]",
    multiple=True,
    help="watch this instead of the streams of tailrace.toml; may be repeated",
)
@click.option("--data", is_flag=True, help="also print the events, and the changes that have none")
def dev(mongodb: str, watch: tuple[str, ...], data: bool) -> None:
    """
    Run the whole system of this project on this machine, until Ctrl-C.

    It starts a mongod, an emulator of AWS, the tailer, and the forwarder as the zip that a deployment would use. Each change of
    the database is shown with what became of it. When a file of the project changes, the zip is built again.
    """
    try:
        Session(load(), mongodb_uri=mongodb, watch=watch, data=data).run()
    except StartFailed as failure:
        raise click.ClickException(legible(str(failure), lines=True)) from None
