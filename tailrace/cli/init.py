"""``tailrace init``."""

import sys
from pathlib import Path

import click

from tailrace.project.names import default_database, default_event
from tailrace.project.new_project import NewProject
from tailrace.project.project import ProjectError


@click.command(
    epilog="""\b
examples:
  tailrace init shop --collection orders
  tailrace init shop --collection orders --database shop --event OrderPlaced"""
)
@click.argument("name")
@click.option("--collection", help="the collection whose changes become events, for example orders")
@click.option("--database", help="its database  [default: NAME]")
@click.option("--event", help="the event that an insert means, in the past tense  [default: OrderCreated for orders]")
def init(name: str, collection: str | None, database: str | None, event: str | None) -> None:
    """
    Write a new project into the folder NAME: an event with its mapper, sample and test, and all that a deployment needs.

    On a terminal it asks for the collection and the names that are missing.
    """
    asks = sys.stdin.isatty() and collection is None
    if collection is None:
        if not asks:
            raise ProjectError("Name the collection whose changes become events: --collection orders")
        collection = click.prompt("Collection whose changes become events", default="orders")
    if database is None:
        database = default_database(name)
        database = click.prompt("Its database", default=database) if asks else database
    if event is None:
        event = default_event(collection)
        event = click.prompt("What an insert means, as an event in the past tense", default=event) if asks else event
    folder = NewProject(name=name, database=database, collection=collection, event=event).write(Path.cwd())
    click.echo(f"{folder.name}/ is ready:\n\n  cd {folder.name}\n  pytest\n  tailrace dev")
