"""``tailrace package``: the package of the project for Lambda."""

from pathlib import Path

import click

from tailrace.packaging import BUILDING, LAMBDA_PLATFORM, LAMBDA_PYTHON, package_of
from tailrace.project import load


@click.command(
    epilog="""\b
examples:
  tailrace package
  tailrace package --platform manylinux2014_x86_64 --output build/shop.zip"""
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="the zip, or the folder of the image if there is a base_image  [default: dist/PROJECT.zip, dist/PROJECT-image]",
)
@click.option("--python", default=LAMBDA_PYTHON, show_default=True, help="Python version of the functions")
@click.option("--platform", default=LAMBDA_PLATFORM, show_default=True, help="their platform, as a platform tag of pip")
def package(output: Path | None, python: str, platform: str) -> None:
    """
    Build the package of the project for Lambda, and import its mappers from it.

    The package holds the forwarder, the sources of tailrace.toml, and the locked dependencies of both. It is a zip, or what a
    container image is built from. The same inputs give the same bytes. Nothing is written if the mappers would not start.
    """
    project = load()
    click.echo(BUILDING, err=True)
    made = package_of(project, output, python=python, platform=platform)
    click.echo(f"{made.path}  {made.unzipped_bytes:,} bytes unpacked  sha256 {made.sha256}")
    click.echo("events: " + ", ".join(event.name for event in made.catalogue.events))
