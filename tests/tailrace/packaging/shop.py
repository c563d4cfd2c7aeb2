"""A small project, written to a folder, and its build for this machine."""

from dataclasses import replace
from pathlib import Path

from devstack.stack import function_target
from infra.package import REPOSITORY
from tailrace.packaging import Package, package_of
from tailrace.project import load

CACHE = REPOSITORY / "dist" / "cache"
EVENTS = """
from tailrace import Change, DomainEvent, Mappers


class OrderPlaced(DomainEvent, source="shop.orders"):
    \"\"\"An order was placed.\"\"\"

    order_id: str


def order_placed(change: Change) -> OrderPlaced | None:
    \"\"\"An order was inserted.\"\"\"
    return OrderPlaced(order_id=str(change.document_key["_id"])) if change.created else None


MAPPERS: Mappers = {"orders": (order_placed,)}
"""
PROJECT = """
mappers = "events:MAPPERS"
requirements = "requirements.txt"

[[streams]]
name = "orders"
database = "shop"
collections = ["orders"]

[environments.trial]
removal = "destroy"
"""


def write(folder: Path, **files: str) -> Path:
    """Write the project, with these texts in place of its own: ``events_py`` is ``events.py``."""
    texts = {"events_py": EVENTS, "tailrace_toml": PROJECT, "requirements_txt": "", **files}
    for name, text in texts.items():
        (folder / ".".join(name.rsplit("_", 1))).write_text(text)
    return folder


def write_with_cache(folder: Path, **files: str) -> Path:
    """Write the project with the dependencies of earlier builds."""
    CACHE.mkdir(parents=True, exist_ok=True)
    (folder / "dist").mkdir()
    (folder / "dist" / "cache").symlink_to(CACHE)
    return write(folder, **files)


def base_image(python: str) -> str:
    """Return the name of AWS's base image with a digest that no image has."""
    return f"public.ecr.aws/lambda/python:{python}@sha256:{64 * '0'}"


def built(folder: Path, *, image: bool = False, cache: Path = CACHE) -> Package:
    """Build the project for the functions of this machine, as a zip or as the folder of an image."""
    python, platform = function_target()
    project = replace(load(folder), base_image=base_image(python) if image else "")
    output = folder / "dist" / ("image" if image else "shop.zip")
    return package_of(project, output, python=python, platform=platform, cache=cache)


def locked(*names: str) -> str:
    """Return the lines of packages in our own lock."""
    lock = (REPOSITORY / "requirements" / "dev.txt").read_text().replace("\\\n", " ")
    return "".join(f"{line}\n" for line in lock.splitlines() if line.partition("==")[0] in names)
