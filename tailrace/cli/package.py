"""``tailrace package``: the zip of the project for Lambda."""

from pathlib import Path

import click

from tailrace.packaging import BUILDING, LAMBDA_PLATFORM, LAMBDA_PYTHON, build
from tailrace.project import load


@click.command(
    epilog="""\b
examples:
  tailrace package
  tailrace package --platform manylinux2014_x86_64 --output build/shop.zip"""
)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="the zip  [default: dist/PROJECT.zip]")
@click.option("--python", default=LAMBDA_PYTHON, show_default=True, help="Python version of the functions")
@click.option("--platform", default=LAMBDA_PLATFORM, show_default=True, help="their platform, as a platform tag of pip")
def package(output: Path | None, python: str, platform: str) -> None:
    """
    Build the zip of the project for Lambda, and import its mappers from it.

    The zip holds the forwarder, the sources of tailrace.toml, and the locked dependencies of both. The same inputs give the
    same bytes. Nothing is written if the mappers would not start.
    """
    project = load()
    click.echo(BUILDING, err=True)
    made = build(project, output or project.folder / "dist" / f"{project.name}.zip", python=python, platform=platform)
    size = made.path.stat().st_size
    click.echo(f"{made.path}  {size:,} bytes, {made.unzipped_bytes:,} unpacked  sha256 {made.sha256}")
    click.echo("events: " + ", ".join(event.name for event in made.catalogue.events))
